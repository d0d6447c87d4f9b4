import { readFileSync } from "node:fs";
import { parseArgs, parseEnv } from "node:util";
import { z } from "zod";
import { type FunctionsHost, startHost } from "./host.ts";
import { toErrorMessage } from "./log.ts";

const usage =
  "usage: main.ts --app DIR [--main GLOB] [--port N] [--keys FILE] [--status DIR] [--env FILE] " +
  "[--lease SECONDS] [--with-parent]";

const number = (minimum: number, maximum: number) =>
  z.coerce.number().int().min(minimum).max(maximum).optional();

const argumentsShape = z.object({
  app: z.string(),
  main: z.string().optional(),
  port: number(0, 65_535),
  keys: z.string().optional(),
  status: z.string().optional(),
  env: z.string().optional(),
  lease: number(1, 604_800),
  "with-parent": z.boolean().optional(),
});

function readArguments(): z.output<typeof argumentsShape> {
  const text = { type: "string" } as const;
  const options = { app: text, main: text, port: text, keys: text, status: text, env: text };
  const more = { lease: text, "with-parent": { type: "boolean" } } as const;
  const { values } = parseArgs({ options: { ...options, ...more } });
  return argumentsShape.parse(values);
}

const localSettings = z.object({ Values: z.record(z.string(), z.string()) });

function readLocalSettings(file: string, text: string): Record<string, string> {
  try {
    return localSettings.parse(JSON.parse(text)).Values;
  } catch {
    // The error does not include the cause, which would quote the file and its secrets.
    throw new Error(`${file} must be JSON such as {"Values": {"NAME": "value"}}.`);
  }
}

/** Adds the variables in a file to the environment. The file has `NAME=value` lines, or JSON like local.settings.json. */
function addEnvironment(file: string): void {
  const text = readFileSync(file, "utf8");
  const values = file.endsWith(".json") ? readLocalSettings(file, text) : parseEnv(text);
  // As with Core Tools, a variable that is already set wins.
  for (const [name, value] of Object.entries(values)) process.env[name] ??= value;
}

const print = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

function start(given: z.output<typeof argumentsShape>): Promise<FunctionsHost> {
  return startHost({
    appDirectory: given.app,
    settings: process.env,
    log: print,
    ...defined({
      main: given.main,
      port: given.port,
      keysFile: given.keys,
      statusDirectory: given.status,
      leaseSeconds: given.lease,
    }),
  });
}

/** Returns the values without undefined ones. */
function defined<T extends Record<string, unknown>>(values: T) {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function fail(error: unknown, code: number): never {
  process.stderr.write(`${toErrorMessage(error)}\n`);
  process.exit(code);
}

let given: z.output<typeof argumentsShape>;
try {
  given = readArguments();
  if (given.env !== undefined) addEnvironment(given.env);
} catch (error) {
  fail(
    `${error instanceof z.ZodError ? z.prettifyError(error) : toErrorMessage(error)}\n${usage}`,
    2,
  );
}
if (given["with-parent"] === true) await import("./with-parent.ts");

const ending = Promise.withResolvers<undefined>();
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.on(signal, () => {
    ending.resolve(undefined);
  });
// The process that read the log has ended.
process.stdout.on("error", () => {
  ending.resolve(undefined);
});

try {
  const host = await start(given);
  print({ ready: true, url: host.url, functions: host.functions });
  await ending.promise;
  await host.close();
} catch (error) {
  fail(error, 1);
}
process.exit(0);
