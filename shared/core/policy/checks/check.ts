import { formatDuration, type Instant } from "../../time.ts";
import type { Policy } from "../policy.ts";
import { checkEffects } from "./check-effects.ts";
import { checkFreezes } from "./check-freezes.ts";
import { checkHours } from "./check-hours.ts";
import { checkLateness } from "./check-lateness.ts";
import { checkPassword } from "./check-password.ts";
import { checkTimeouts } from "./check-timeouts.ts";
import { type Effort, newEffort } from "./effort.ts";
import { type Problem, problem } from "./problem.ts";

export type { Problem } from "./problem.ts";

/**
 * Everything that is wrong with a policy from this moment on, apart from where it is written. `effort` is what is left
 * for all policies of a configuration.
 */
export function checkPolicy(
  policy: Policy,
  from: Instant,
  effort: Effort = newEffort(),
): Problem[] {
  const readable = [...checkHours(policy), ...checkTriggers(policy), ...checkFreezes(policy)];
  // What cannot be read cannot be tried out.
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
    problem([field], "has no effect with manualOnly; take one of them out"),
  );
}

function checkSomeTrigger({ every, cron, afterExposure, afterIdle }: Policy): Problem[] {
  if ([every, cron, afterExposure, afterIdle].some((one) => one !== undefined)) return [];
  const message =
    "says nothing that makes a rotation due; say every (such as 90d), cron, afterIdle, afterExposure or manualOnly: true";
  return [problem([], message)];
}

function checkHeadStart({ every, headStart }: Policy): Problem[] {
  if (headStart === undefined) return [];
  if (every === undefined) return [problem(["headStart"], "needs every, which it is a part of")];
  if (headStart < every) return [];
  const written = `${formatDuration(headStart)} is not shorter than every, ${formatDuration(every)}`;
  return [problem(["headStart"], `${written}; a rotation would be due as soon as it is done`)];
}

function checkAdoption({ adopt, manualOnly }: Policy): Problem[] {
  if (adopt?.mode === "rotate" && manualOnly) {
    return [problem(["adopt", "mode"], "rotates by itself, which manualOnly forbids")];
  }
  if (adopt?.mode !== "verify" || adopt.delay === undefined) return [];
  return [problem(["adopt", "delay"], "is only for mode rotate; verify changes nothing")];
}

function checkExpiry({ expiry }: Policy): Problem[] {
  if (expiry === undefined || expiry === "none" || expiry > 0) return [];
  return [problem(["expiry"], "must leave time after the due moment, or versions expire in use")];
}

function checkRetry({ retry }: Policy): Problem[] {
  const { attempts, every, thenEvery, jitter = 0 } = retry;
  const found: Problem[] = [];
  if (attempts < 1) found.push(problem(["retry", "attempts"], "must be 1 or more"));
  if (every <= 0) found.push(problem(["retry", "every"], "must be longer than nothing"));
  if (thenEvery < every) {
    const written = `${formatDuration(thenEvery)} is shorter than every, ${formatDuration(every)}`;
    const message = `${written}, the distance of the first tries; make it as long or longer`;
    found.push(problem(["retry", "thenEvery"], message));
  }
  if (jitter < 0 || jitter > 1) {
    found.push(problem(["retry", "jitter"], "must be a part of the distance, from 0 to 1"));
  }
  return found;
}
