import { expect } from "vitest";
import type { z } from "zod";
import { type Ended, runCommand, type RunOptions, wordsOf } from "../../cli/run-command.ts";
import { leaksIn, type Place } from "../world/leaks.ts";
import type { World } from "../world/world.ts";

/** Commands that run against the app of a world. */
export interface CommandLine {
  /** The function key of the app. */
  readonly key: string;
  /** Runs the words of a line, without quotes. */
  readonly keyturn: (
    line: string,
    environment?: Readonly<Record<string, string>>,
    more?: Omit<RunOptions, "environment">,
  ) => Promise<Ended>;
  /** The one JSON document that a command prints, which must follow the schema. */
  readonly json: <Schema extends z.ZodType>(
    line: string,
    schema: Schema,
  ) => Promise<{ readonly status: number | null; readonly answer: z.output<Schema> }>;
  /** Every line that ran, and what it printed. */
  readonly printed: readonly Place[];
  /** How many commands ran, and which of them printed the key or another of these secrets. */
  readonly review: (secrets: readonly string[]) => {
    readonly count: number;
    readonly leaks: readonly unknown[];
  };
}

/** The world must have started. */
export async function makeCommandLine(world: World): Promise<CommandLine> {
  const { default: key } = await world.keys();
  const printed: Place[] = [];
  const keyturn: CommandLine["keyturn"] = async (line, environment = {}, more = {}) => {
    const connection = { KEYTURN_APP: world.host().url, KEYTURN_KEY: key };
    const options = { ...more, environment: { ...connection, ...environment } };
    const ended = await runCommand(wordsOf(line), options);
    printed.push({ name: line, text: ended.stdout + ended.stderr });
    return ended;
  };
  return {
    ...{ key, keyturn, printed },
    async json(line, schema) {
      const { status, stdout, stderr } = await keyturn(`${line} --json`);
      expect({ line, stderr }).toEqual({ line, stderr: "" });
      return { status, answer: schema.parse(JSON.parse(stdout)) };
    },
    review: (secrets) => ({ count: printed.length, leaks: leaksIn(printed, [key, ...secrets]) }),
  };
}

export const contentOf = <Schema extends z.ZodType>(answer: {
  readonly content: { readonly "application/json": Schema };
}): Schema => answer.content["application/json"];
