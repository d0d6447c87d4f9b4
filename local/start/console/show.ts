import { styleText } from "node:util";
import type { Environment } from "../../environment.ts";
import type { KeyturnEvent } from "../app/read-event.ts";
import { makeApi, type TargetView } from "./api.ts";
import { formatHeader, type Header, listSuggestions } from "./header.ts";
import { formatLine, formatSummary, type Paint } from "./lines.ts";
import { measureTerminal, toPrintable, wrapText } from "./text.ts";
import type { ShownTarget } from "./watched.ts";

/** Honours NO_COLOR and FORCE_COLOR, and adds no colours when the output is not a terminal. */
const paint: Paint = (style, text) => styleText(style, text, { stream: process.stdout });

/** Milliseconds between two summaries of the consumer's counts. */
const summaryIntervalMs = 30_000;

/** After these events the line also says when the next rotation is due. */
const endings = ["adopted", "succeeded", "failed"];

export interface Show {
  /** Prints the line of an event, after the lines of earlier events. */
  readonly event: (event: KeyturnEvent) => void;
  readonly note: (text: string) => void;
  header(env: Environment): void;
  /** Suggests commands to try, and from now on prints the consumer's counts at intervals. */
  goOn(env: Environment): void;
  summary(env: Environment): void;
  print(text: string): void;
  /** Stops the summaries. Resolves when all lines so far are printed. */
  finish(): Promise<void>;
}

/** The current width: a person may resize the terminal. */
const width = () => measureTerminal(process.stdout);

function print(text: string): void {
  process.stdout.write(`${wrapText(text, width())}\n`);
}

/** Makes the console output for these targets. */
export function createShow(targets: readonly ShownTarget[]): Show {
  const targetWidth = Math.max(0, ...targets.map(({ id }) => id.length));
  const pairs = targets.filter(({ accounts }) => accounts.length === 2).map(({ id }) => id);
  let last: Promise<void> = Promise.resolve();
  let env: Environment | undefined;
  let timer: NodeJS.Timeout | undefined;
  const inTurn = (task: () => Promise<void> | void): void => {
    last = last.then(task).catch(() => undefined);
  };
  const summary = (running: Environment): void => {
    const lines = formatSummary(running.counts(), pairs);
    inTurn(() => {
      for (const line of lines) print(paint("dim", `consumer  ${line}`));
    });
  };
  print(
    paint("dim", "starting PostgreSQL, Azurite, the Key Vault emulator and the Functions app …"),
  );
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
        print(paint("yellow", text.split("\n").map(toPrintable).join("\n")));
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
      }, summaryIntervalMs);
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

/** Returns undefined when the app does not answer, so that the event's line is printed without it. */
async function readStanding(
  env: Environment | undefined,
  { targetId }: KeyturnEvent,
): Promise<TargetView | undefined> {
  if (env === undefined || targetId === undefined) return undefined;
  return makeApi(env.places().functions)
    .target(targetId)
    .catch(() => undefined);
}
