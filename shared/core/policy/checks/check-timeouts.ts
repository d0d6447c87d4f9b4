import { deadlines } from "../../deadlines.ts";
import { formatDuration } from "../../time.ts";
import type { Policy } from "../policy.ts";
import { type Problem, toProblem } from "./problem.ts";

/** Connecting is a part of every log-in and change, so its limit cannot be longer than theirs. */
export function checkTimeouts({ timeouts = {} }: Policy): Problem[] {
  const { connect, verify = deadlines.verify, change = deadlines.apply } = timeouts;
  if (connect === undefined) return [];
  const whole = Object.entries({ verify, change }).filter(([, time]) => time < connect);
  return whole.map(([field, time]) =>
    toProblem(
      ["timeouts", "connect"],
      `must not be longer than ${field} (${formatDuration(time)}), which includes connecting, but is ${formatDuration(connect)}`,
    ),
  );
}
