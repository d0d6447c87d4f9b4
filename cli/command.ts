import { randomUUID } from "node:crypto";
import {
  Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
} from "@commander-js/extra-typings";
import { parseDuration, parseInstant } from "../shared/app.ts";

export interface Example {
  readonly line: string;
  /** What the line does, as the end of a comment. */
  readonly purpose: string;
}

const shown = new WeakMap<CommandUnknownOpts, readonly Example[]>();

/** Adds examples to the help of a command and to the reference. */
export function withExamples<Given extends CommandUnknownOpts>(
  command: Given,
  ...lines: readonly (readonly [line: string, purpose: string])[]
): Given {
  const examples = lines.map(([line, purpose]) => ({ line, purpose }));
  shown.set(command, examples);
  const text = examples.flatMap(({ line, purpose }) => [`  # ${purpose}`, `  ${line}`]);
  command.addHelpText("after", ["\nExamples:", ...text].join("\n"));
  return command;
}

export function examplesOf(command: CommandUnknownOpts): readonly Example[] {
  return shown.get(command) ?? [];
}

export const connectionGroup = "Connection:";

/** A command that contacts an app: it has the options that choose the app, and `--json`. */
export function online(name: string, summary: string) {
  return new Command(name)
    .description(summary)
    .optionsGroup(connectionGroup)
    .option("--app <url>", "address of the app (default: KEYTURN_APP, else the app of npm start)")
    .option(
      "--key-env <name>",
      "environment variable that holds a function key of the app (default: KEYTURN_KEY)",
    )
    .option(
      "--entra [scope]",
      "sign in with Microsoft Entra ID, with the log-in of az or a managed identity (default scope: URL of the app and /.default)",
    )
    .option("--request-timeout <time>", "how long to wait for an answer (default: 30s)", toDuration)
    .optionsGroup("Options:")
    .option("--json", "print JSON, for scripts");
}

/** What `--ticket` and `--idempotency-key` of every command that changes something mean. */
export const ticketMeaning = "ticket of another system, such as INC0007";
export const keyMeaning = "requests with the same key take effect once (default: a new key)";

/** The key of one run of a command, so that a request that is sent again takes effect once. */
export function keyOf(options: { readonly idempotencyKey?: string | undefined }): string {
  return options.idempotencyKey ?? randomUUID();
}

/** A command that changes something: it takes the reason and the ticket, which the configuration may require. */
export function writing(name: string, summary: string) {
  return online(name, summary)
    .option("--reason <text>", "why, for people and auditors")
    .option("--ticket <id>", ticketMeaning)
    .option("--idempotency-key <key>", keyMeaning);
}

/** A command that contacts no app, unless it says so. */
export function offline(name: string, summary: string) {
  return new Command(name).description(summary);
}

/** Reads a duration such as `30m` as milliseconds, more than zero. */
export function toDuration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds > 0 && milliseconds <= maxTimer) {
    return milliseconds;
  }
  throw new InvalidArgumentError("It must be a duration such as 30s, 10m or 2h.");
}

/** The longest timer of Node, in milliseconds. A longer one would fire at once. */
const maxTimer = 2_147_483_647;

/** Reads a number of entries. */
export function toCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1 to 999999.");
}

/** Reads a day or a time with an offset. */
export function toMoment(text: string): string {
  const moment = parseInstant(text);
  if (moment !== undefined) return moment;
  throw new InvalidArgumentError("It must be a day or an instant such as 2026-12-20T18:00:00Z.");
}
