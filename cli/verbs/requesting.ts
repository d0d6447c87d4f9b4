import type { ApiAnswer } from "../api/endpoints.ts";
import { toDuration, writing } from "../command.ts";
import { usageFailure } from "../exit-codes.ts";
import { toCommandText } from "../output/command-text.ts";
import { formatRecord } from "../output/table.ts";
import { longTime } from "../output/times.ts";
import { answer, connect, type OnlineOptions } from "../session.ts";
import { exitCodeOf, follow } from "./follow.ts";
import { formatRotation } from "./rotation-record.ts";

/** A command that leads to a rotation: it can be forced, repeated without a second effect, and followed. */
export function requesting(name: string, summary: string) {
  return writing(name, summary)
    .option("--lift-freeze <text>", "why the rotation starts although a freeze is in force")
    .option("--force <text>", "why the rotation starts although the target is paused")
    .option("--follow", "wait for the end of the rotation, and exit by its outcome")
    .option("--timeout <time>", "with --follow: how long to wait", toDuration);
}

interface Following extends OnlineOptions {
  readonly follow?: true | undefined;
  readonly timeout?: number | undefined;
}

/** Throws Failure for a time to wait without a reason to wait. */
export function requireFollow({ follow: isFollowed, timeout }: Following): void {
  if (timeout !== undefined && !isFollowed) throw usageFailure("--timeout needs --follow.");
}

type Requested = ApiAnswer<"api-rotate">;

/** Prints the accepted request or, with `--follow`, the rotation at its end. Its outcome is the exit code. */
export async function finishRequest(options: Following, requested: Requested): Promise<void> {
  if (!options.follow) {
    answer(options, requested, (one) => formatRequested(one, Date.now(), options));
    return;
  }
  await followAndAnswer(options, requested);
}

/** Follows a rotation, and prints it at its end. Its outcome is the exit code. */
export async function followAndAnswer(
  options: Following,
  { target, rotation }: Pick<Requested, "target" | "rotation">,
): Promise<void> {
  const last = await follow({
    ...{ target, rotation, options },
    timeoutMs: options.timeout,
    connect: (signal) => connect(options, signal),
  });
  answer(options, last, (one) => formatRotation(one, Date.now()));
  process.exitCode = exitCodeOf(last);
}

function formatRequested(requested: Requested, now: number, options: Following): string {
  const { target, rotation } = requested;
  return formatRecord([
    ["Rotation", rotation],
    ["Target", target],
    ["Joined", requested.joined ? "yes: it was queued or under way already" : undefined],
    ["Because", requested.why],
    ["Waits until", longTime(requested.queuedUntil, now)],
    ["Waits for", requested.queuedWhy],
    ["Follow it", toCommandText(["rotation", target, rotation], options, { follow: true })],
  ]);
}
