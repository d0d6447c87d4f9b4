import type { Breach, BreachTarget } from "../api/endpoints.ts";
import { keyOf } from "../command.ts";
import { usageFailure } from "../exit-codes.ts";
import { toCommandText } from "../output/command-text.ts";
import { printNote, printText } from "../output/print.ts";
import { formatTable } from "../output/table.ts";
import { answer, connect, type OnlineOptions } from "../session.ts";
import { formatBreach, reportColumns } from "./breach-record.ts";
import { exitCodeOfBreach, followBreach } from "./follow-breach.ts";

/** The options with which a breach is confirmed and followed. */
export interface RunningOptions extends OnlineOptions {
  readonly force?: true | undefined;
  readonly liftFreezes?: true | undefined;
  readonly detach?: true | undefined;
  readonly timeout?: number | undefined;
  readonly reason?: string | undefined;
  readonly ticket?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

export function requireSense({ detach, timeout }: RunningOptions): void {
  if (detach && timeout !== undefined) {
    throw usageFailure("--timeout cannot be combined with --detach.");
  }
}

/** Confirms the breach, follows it unless `--detach` is given, and prints its report. */
export async function runBreach(breach: string, options: RunningOptions): Promise<void> {
  const { force = false, liftFreezes = false, reason, ticket } = options;
  const started = await connect(options).call("api-breach-confirm", {
    params: { breach },
    body: { force, liftFreezes, reason, ticket },
    idempotencyKey: keyOf(options),
  });
  if (!options.detach) return followAndReport(breach, options);
  answer(options, started, (one) => formatBreach(one, Date.now()));
}

/** Follows the breach to its end, prints it with the targets that were not rotated, and sets the exit code. */
export async function followAndReport(
  breach: string,
  options: OnlineOptions & Pick<RunningOptions, "timeout">,
): Promise<void> {
  const last = await followBreach({
    ...{ breach, options },
    timeoutMs: options.timeout,
    connect: (signal) => connect(options, signal),
  });
  answer(options, last, (one) => formatBreach(one, Date.now()));
  if (!options.json) await printOthers(last, options);
  process.exitCode = exitCodeOfBreach(last);
}

/** Prints the targets of an ended breach that were not rotated. */
async function printOthers({ id, state, counts }: Breach, options: OnlineOptions): Promise<void> {
  if (state !== "ended") return;
  const client = connect(options);
  const found: BreachTarget[] = [];
  for (const one of ["failed", "blocked", "unfinished", "left"] as const) {
    if (counts[one] === 0) continue;
    const query = { state: one, limit: undefined, cursor: undefined };
    const pages = client.pages("api-breach-targets", { params: { breach: id }, query });
    for await (const { targets } of pages) found.push(...targets);
  }
  if (found.length > 0) printText(`\n${formatTable(found, reportColumns)}`);
  const open = found.find(({ state: is, rotationId }) => is === "unfinished" && rotationId);
  if (open) {
    const words = ["rotation", open.target, open.rotationId ?? "", "--follow"];
    printNote(`Follow an unfinished rotation: ${toCommandText(words, options)}`);
  }
  printNote(`The whole report: ${toCommandText(["breach-report", id], options)}`);
}
