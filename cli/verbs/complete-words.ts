import { Command } from "@commander-js/extra-typings";
import { toPrintable } from "../../shared/app.ts";
import type { Client } from "../api/client.ts";
import { type Finders, suggest, type Suggestion } from "../completion/suggest.ts";
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
      const found = await suggest(command.parent, words, finders);
      const lines = found.map(({ value, description }) =>
        description === "" ? value : `${value}\t${toPrintable(description)}`,
      );
      process.stdout.write(lines.map((line) => `${line}\n`).join(""));
    });
  return command;
};

/** They query the app that the words name, or the local one. */
const finders: Finders = {
  target: orNothing(async (client) => {
    const { targets } = await client.call("api-targets", {});
    return targets.map(({ id, type, health }) => ({
      value: id,
      description: `${type}, ${health}`,
    }));
  }),
  rotation: orNothing(async (client, [command], [target]) => {
    if (command === "cancel") {
      const { scheduled = [] } = await client.call("api-target", { params: { target } });
      return scheduled.map(({ rotation, notBefore, requestedBy }) => ({
        value: rotation,
        description: `scheduled for ${notBefore} by ${requestedBy}`,
      }));
    }
    const query = { limit: "20", cursor: undefined };
    const { rotations } = await client.call("api-rotations", { params: { target }, query });
    return rotations.map(({ rotationId, state }) => ({ value: rotationId, description: state }));
  }),
  breach: orNothing(async (client) => {
    const { breaches } = await client.call("api-breaches", {});
    return breaches.flatMap((one) =>
      one.state === "unreadable" || one.state === "expired"
        ? []
        : [{ value: one.id, description: `${one.state}, ${one.reason}` }],
    );
  }),
  freeze: orNothing(async (client) => {
    const { freezes } = await client.call("api-freezes", {});
    const open = freezes.filter(({ state }) => state !== "ended");
    return open.map(({ id, reason }) => ({ value: id, description: reason }));
  }),
};

/** Without an answer nothing is suggested. */
function orNothing(
  find: (client: Client, ...typed: Parameters<Finders[string]>) => Promise<readonly Suggestion[]>,
): Finders[string] {
  return async (words, before) => {
    try {
      return await find(connect(readConnection(words)), words, before);
    } catch {
      return [];
    }
  };
}

function readConnection(words: readonly string[]): OnlineOptions {
  const valueOf = (name: string): string | undefined => {
    const at = words.indexOf(name);
    return at === -1 ? undefined : words[at + 1];
  };
  return { app: valueOf("--app"), keyEnv: valueOf("--key-env"), requestTimeout: patienceMs };
}
