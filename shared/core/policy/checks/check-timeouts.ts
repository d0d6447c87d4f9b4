import { deadlines } from "../../deadlines.ts";
import { formatDuration } from "../../time.ts";
import type { Policy } from "../policy.ts";
import { type Problem, problem } from "./problem.ts";

/** A connection is only the beginning of a log-in or a change, and cannot be given more time than all of it. */
export function checkTimeouts({ timeouts = {} }: Policy): Problem[] {
  const { connect, verify = deadlines.verify, change = deadlines.apply } = timeouts;
  if (connect === undefined) return [];
  const whole = Object.entries({ verify, change }).filter(([, time]) => time < connect);
  return whole.map(([field, time]) =>
    problem(
      ["timeouts", "connect"],
      `${formatDuration(connect)} is longer than ${field}, ${formatDuration(time)}, of which it is a part`,
    ),
  );
}
