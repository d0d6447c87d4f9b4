import { parseArgs } from "node:util";
import { z } from "zod";

export const usage = `Usage: npm start -- [options]

Starts Keyturn with everything it needs on this machine, and rotates passwords
before your eyes.

  --once         rotate every target once, print a table, and end: 0 if all went
                 well, 1 if not
  --port N       port of the Functions app (default: the same as last time, or a
                 free one)
  --data DIR     folder for everything that outlasts a run: an empty one, or one
                 of an earlier run (default: .keyturn in the project)
  --config FILE  another keyturn.yaml than the one that is made for the seeded
                 targets
  --help         this text`;

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

/** The arguments make no sense; the message is for the person who wrote them. */
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
  // Otherwise the last one would count, and nothing would say so.
  if (repeated !== undefined) throw new UsageError(`--${repeated} is given more than once.`);
  return values;
}

function parseWith(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true, tokens: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "The arguments are unclear.");
  }
}
