import { styleText } from "node:util";
import type { Environment } from "../../environment.ts";
import type { KeyturnEvent } from "../app/events.ts";
import { makeApi, type TargetView } from "./api.ts";
import { formatHeader, type Header, listSuggestions } from "./header.ts";
import { formatLine, formatSummary, type Paint } from "./lines.ts";
import { printable } from "./printable.ts";
import type { ShownTarget } from "./watched.ts";
import { terminalWidth, wrapText } from "./wrap.ts";

/** Honours NO_COLOR and FORCE_COLOR, and leaves colours out when nobody looks. */
const paint: Paint = (style, text) => styleText(style, text, { stream: process.stdout });

/** Milliseconds between two looks at the consumer's counts. */
const summaryEvery = 30_000;

/** After these a person wants to know when the target's turn comes again. */
const endings = ["adopted", "succeeded", "failed"];

export interface Show {
  /** Prints the line of an event, after those before it. */
  readonly event: (event: KeyturnEvent) => void;
  readonly note: (text: string) => void;
  header(env: Environment): void;
  /** Suggests what to try, and begins to print the consumer's counts now and then. */
  goOn(env: Environment): void;
  summary(env: Environment): void;
  print(text: string): void;
  /** Resolves when all lines so far are printed; no more summaries follow. */
  finish(): Promise<void>;
}

/** Of the terminal now: a person may make it wider. */
const width = () => terminalWidth(process.stdout);

function print(text: string): void {
  process.stdout.write(`${wrapText(text, width())}\n`);
}

/** What the person at the console sees of these targets. */
export function createShow(targets: readonly ShownTarget[]): Show {
  const targetWidth = Math.max(0, ...targets.map(({ id }) => id.length));
  const pairs = targets.filter(({ accounts }) => accounts.length === 2).map(({ id }) => id);
  let last: Promise<void> = Promise.resolve();
  let env: Environment | undefined;
  let timer: NodeJS.Timeout | undefined;
  const inTurn = (task: () => Promise<void> | void): void => {
    last = last.then(task).catch(() => undefined);
  };
  const summary = (of: Environment): void => {
    const lines = formatSummary(of.counts(), pairs);
    inTurn(() => {
      for (const line of lines) print(paint("dim", `consumer  ${line}`));
    });
  };
  print(paint("dim", "starting PostgreSQL, Azurite, Key Vault's emulator, the Functions app …"));
  return {
    event(event) {
      inTurn(async () => {
        const standing = endings.includes(event.type) ? await readStanding(env, event) : undefined;
        const look = {
          ...{ paint, targetWidth, width: width() },
          ...(standing && { standing }),
        };
        const line = formatLine(event, look);
        if (line !== undefined) print(line);
      });
    },
    note(text) {
      inTurn(() => {
        print(paint("yellow", text.split("\n").map(printable).join("\n")));
      });
    },
    header(started) {
      env = started;
      print(formatHeader(headerFrom(started), { paint, width: width() }));
    },
    goOn(started) {
      inTurn(() => {
        print(listSuggestions(headerFrom(started), { paint, width: width() }));
      });
      timer = setInterval(() => {
        summary(started);
      }, summaryEvery);
    },
    summary,
    print(text) {
      inTurn(() => {
        print(text);
      });
    },
    async finish() {
      clearInterval(timer);
      await last;
    },
  };
}

function headerFrom(env: Environment): Header {
  return { places: env.places(), file: env.file, targets: env.targets, watched: env.watched };
}

/** Left out when the app cannot be asked: the line is worth more without it than late. */
async function readStanding(
  env: Environment | undefined,
  { targetId }: KeyturnEvent,
): Promise<TargetView | undefined> {
  if (env === undefined || targetId === undefined) return undefined;
  return makeApi(env.places().functions)
    .target(targetId)
    .catch(() => undefined);
}
