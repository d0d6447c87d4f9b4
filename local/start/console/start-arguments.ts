import { parseArgs } from "node:util";
import { z } from "zod";

export const usage = `Usage: npm start -- [options]

Starts Keyturn with everything it needs on this machine, and shows how it
rotates passwords.

  --once         rotate every target once, print a table, and exit: with 0 if
                 every rotation worked, with 1 if not
  --port N       port of the Functions app (default: the port of the last run,
                 or a free one)
  --data DIR     folder for the data that outlives a run: an empty folder, or
                 that of an earlier run (default: .keyturn in the project)
  --config FILE  your own keyturn.yaml, instead of the generated one for the
                 seeded targets
  --help         print this text`;

const shape = z.object({
  once: z.boolean().default(false),
  help: z.boolean().default(false),
  port: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .refine((port) => port >= 1 && port <= 65_535)
    .optional()
    .catch(() => {
      throw new UsageError("--port must be a number from 1 to 65535.");
    }),
  data: z.string().min(1).optional(),
  config: z.string().min(1).optional(),
});

export type Arguments = z.output<typeof shape>;

/** The arguments are invalid. The message is for the person who wrote them. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const options = { once: flag, help: flag, port: text, data: text, config: text };

export function readArguments(args: readonly string[]): Arguments {
  const values = parse(args);
  return shape.parse(values);
}

function parse(args: readonly string[]): unknown {
  const { values, tokens } = parseWith(args);
  const given = tokens.flatMap((token) => (token.kind === "option" ? token.name : []));
  const repeated = given.find((name, index) => given.indexOf(name) < index);
  // `parseArgs` silently keeps the last one.
  if (repeated !== undefined)
    throw new UsageError(`--${repeated} is given more than once. Give it once.`);
  return values;
}

function parseWith(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true, tokens: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "The arguments are invalid.");
  }
}
