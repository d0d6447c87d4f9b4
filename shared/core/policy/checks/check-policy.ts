import { formatDuration, type Instant } from "../../time.ts";
import type { Policy } from "../policy.ts";
import { checkEffects } from "./check-effects.ts";
import { checkFreezes } from "./check-freezes.ts";
import { checkHours } from "./check-hours.ts";
import { checkLateness } from "./check-lateness.ts";
import { checkPassword } from "./check-password.ts";
import { checkTimeouts } from "./check-timeouts.ts";
import { type Effort, newEffort } from "./effort.ts";
import { type Problem, toProblem } from "./problem.ts";

export type { Problem } from "./problem.ts";

/**
 * Finds the problems of a policy from this moment on, without their locations. `effort` is the remaining effort for all
 * policies of a configuration.
 */
export function checkPolicy(
  policy: Policy,
  from: Instant,
  effort: Effort = newEffort(),
): Problem[] {
  const readable = [...checkHours(policy), ...checkTriggers(policy), ...checkFreezes(policy)];
  // A policy that cannot be read cannot be simulated.
  const tried = readable.length > 0 ? [] : checkLateness(policy, Date.parse(from), effort);
  return [
    ...readable,
    ...tried,
    ...checkEffects(policy),
    ...checkRetry(policy),
    ...checkTimeouts(policy),
    ...checkPassword(policy.password),
  ];
}

function checkTriggers(policy: Policy): Problem[] {
  return [
    ...(policy.manualOnly ? checkManual(policy) : checkSomeTrigger(policy)),
    ...checkHeadStart(policy),
    ...checkAdoption(policy),
    ...checkExpiry(policy),
  ];
}

function checkManual(policy: Policy): Problem[] {
  const without = (["every", "cron", "afterIdle", "headStart"] as const).filter(
    (field) => policy[field] !== undefined,
  );
  return without.map((field) =>
    toProblem([field], "has no effect with manualOnly; remove one of the two"),
  );
}

function checkSomeTrigger({ every, cron, afterExposure, afterIdle }: Policy): Problem[] {
  if ([every, cron, afterExposure, afterIdle].some((one) => one !== undefined)) return [];
  const message =
    "never makes a rotation due; set every (such as 90d), cron, afterIdle, afterExposure or manualOnly: true";
  return [toProblem([], message)];
}

function checkHeadStart({ every, headStart }: Policy): Problem[] {
  if (headStart === undefined) return [];
  if (every === undefined)
    return [toProblem(["headStart"], "needs every, because headStart is a part of that time")];
  if (headStart < every) return [];
  const written = `must be shorter than every (${formatDuration(every)}), but is ${formatDuration(headStart)}`;
  return [toProblem(["headStart"], `${written}; otherwise the next rotation is due at once`)];
}

function checkAdoption({ adopt, manualOnly }: Policy): Problem[] {
  if (adopt?.mode === "rotate" && manualOnly) {
    return [
      toProblem(
        ["adopt", "mode"],
        "cannot be rotate with manualOnly, because it would start a rotation by itself",
      ),
    ];
  }
  if (adopt?.mode !== "verify" || adopt.delay === undefined) return [];
  return [
    toProblem(
      ["adopt", "delay"],
      "applies to mode rotate only, because verify changes nothing; remove it",
    ),
  ];
}

function checkExpiry({ expiry }: Policy): Problem[] {
  if (expiry === undefined || expiry === "none" || expiry > 0) return [];
  return [toProblem(["expiry"], "must be longer than 0, or versions expire while they are in use")];
}

function checkRetry({ retry }: Policy): Problem[] {
  const { attempts, every, thenEvery, jitter = 0 } = retry;
  const found: Problem[] = [];
  if (attempts < 1) found.push(toProblem(["retry", "attempts"], "must be 1 or more"));
  if (every <= 0) found.push(toProblem(["retry", "every"], "must be longer than 0"));
  if (thenEvery < every) {
    const message = `must not be shorter than every (${formatDuration(every)}), but is ${formatDuration(thenEvery)}`;
    found.push(toProblem(["retry", "thenEvery"], message));
  }
  if (jitter < 0 || jitter > 1) {
    found.push(toProblem(["retry", "jitter"], "must be a fraction of the interval, from 0 to 1"));
  }
  return found;
}
