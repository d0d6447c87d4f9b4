import { Command } from "@commander-js/extra-typings";
import { toPrintable } from "../../shared/app.ts";
import { suggest, type Suggestion } from "../completion/suggest.ts";
import { connect, type OnlineOptions } from "../session.ts";

/** Milliseconds. A person who pressed Tab does not wait longer. */
const patienceMs = 2_000;

/** The hidden command behind the scripts of `completion`: prints a line of a value and a description for each suggestion. */
export const makeCompleteWords = () => {
  const command: Command<[string[]]> = new Command("complete-words")
    .description("complete the last word, for the scripts of completion")
    .argument("[words...]", "the words after keyturn")
    .action(async (words) => {
      if (!command.parent) return;
      const found = await suggest(command.parent, words, findTargets);
      const lines = found.map(({ value, description }) =>
        description === "" ? value : `${value}\t${toPrintable(description)}`,
      );
      process.stdout.write(lines.map((line) => `${line}\n`).join(""));
    });
  return command;
};

/** Lists the targets of the app that the words name, or of the local one. Without an answer nothing is suggested. */
async function findTargets(words: readonly string[]): Promise<readonly Suggestion[]> {
  try {
    const { targets } = await connect(readConnection(words)).call("api-targets", {});
    return targets.map(({ id, type, health }) => ({
      value: id,
      description: `${type}, ${health}`,
    }));
  } catch {
    return [];
  }
}

function readConnection(words: readonly string[]): OnlineOptions {
  const valueOf = (name: string): string | undefined => {
    const at = words.indexOf(name);
    return at === -1 ? undefined : words[at + 1];
  };
  return { app: valueOf("--app"), keyEnv: valueOf("--key-env"), requestTimeout: patienceMs };
}
