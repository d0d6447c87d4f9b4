import { type Client, makeClient } from "./api/client.ts";
import { chooseApp } from "./connection/choose-app.ts";
import type { ConnectionOptions } from "./connection/connection.ts";
import { printJson, printText } from "./output/print.ts";

export interface OnlineOptions extends ConnectionOptions {
  readonly requestTimeout?: number | undefined;
  readonly json?: true | undefined;
}

const usualTimeoutMs = 30_000;

/** Connects to the app that the options choose. The signal ends requests that are under way. */
export function connect(options: OnlineOptions, signal?: AbortSignal): Client {
  return makeClient({
    connection: chooseApp(options, process.env, process.cwd()),
    environment: process.env,
    timeoutMs: options.requestTimeout ?? usualTimeoutMs,
    ...(signal && { signal }),
  });
}

/** Prints an answer: the JSON of the API for scripts, or a text for people. */
export function answer<Json>(
  { json }: Pick<OnlineOptions, "json">,
  value: Json,
  format: (value: Json) => string,
): void {
  if (json) printJson(value);
  else printText(format(value));
}
