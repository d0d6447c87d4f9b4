import { parseArgs } from "node:util";

export const usage = `Usage: npm start -- [options]

Starts Keyturn with everything it needs on this machine, and shows how it
rotates passwords, keys and client secrets.

  --once         rotate every target once, print a table, and exit: with 0 if
                 every rotation worked, with 1 if not
  --port N       port of the Functions app (default: the port of the last run,
                 or a free one)
  --data DIR     folder for the data that outlives a run: an empty folder, or
                 that of an earlier run (default: .keyturn in the project)
  --config FILE  your own keyturn.yaml, instead of the generated one for the
                 seeded targets
  --help         print this text`;

export interface Arguments {
  readonly once: boolean;
  readonly help: boolean;
  readonly port: number | undefined;
  readonly data: string | undefined;
  readonly config: string | undefined;
}

/** The arguments are invalid. The message is for the person who wrote them. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function readArguments(args: readonly string[]): Arguments {
  const { once = false, help = false, port, data, config } = parse(args);
  return {
    once,
    help,
    port: readPort(readOne("port", port)),
    data: readOne("data", data),
    config: readOne("config", config),
  };
}

// `multiple`, because otherwise the last of several values silently counts.
const text = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;
const options = { once: flag, help: flag, port: text, data: text, config: text };

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "The arguments are invalid.");
  }
}

function readOne(name: string, values: readonly string[] = []): string | undefined {
  if (values.length > 1) throw new UsageError(`--${name} is given more than once. Give it once.`);
  if (values[0] === "") throw new UsageError(`--${name} must not be empty.`);
  return values[0];
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new UsageError("--port must be a number from 1 to 65535.");
  return port;
}
