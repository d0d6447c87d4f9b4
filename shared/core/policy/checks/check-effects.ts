import { formatDuration } from "../../time.ts";
import { nearExpiryLead, type Policy, usualVerifyEvery } from "../policy.ts";
import type { Problem } from "./problem.ts";

/** Finds fields of a policy that have no effect. */
export function checkEffects(policy: Policy): Problem[] {
  return [
    ...checkExposureFields(policy),
    ...checkHoursOfNothing(policy),
    ...checkPriority(policy),
    ...checkAnnouncement(policy),
    ...checkHeartbeat(policy),
  ];
}

function checkExposureFields(policy: Policy): Problem[] {
  if (policy.afterExposure !== undefined) return [];
  const without: Problem[] = [];
  if (policy.exposureIgnoresWindow) {
    const message = "has no effect, because without afterExposure an exposure starts no rotation";
    without.push(warning("exposureIgnoresWindow", message));
  }
  if (policy.exemptIdentities?.length) {
    const message = "has no effect, because without afterExposure an exposure starts no rotation";
    without.push(warning("exemptIdentities", message));
  }
  return without;
}

/** Requests from people do not wait for windows, so `manualOnly` alone needs no hours. */
function checkHoursOfNothing(policy: Policy): Problem[] {
  if (!policy.manualOnly || policy.afterExposure !== undefined) return [];
  const message =
    "has no effect with manualOnly, because requested rotations do not wait for a window";
  return (["days", "between", "at", "spread"] as const)
    .filter((field) => policy[field] !== undefined)
    .map((field) => warning(field, message));
}

function checkPriority({ priority, match }: Policy): Problem[] {
  if (priority === undefined || match !== undefined) return [];
  const message =
    "has no effect without match, because it only ranks policies that match the same target";
  return [warning("priority", message)];
}

function checkAnnouncement({ expiry }: Policy): Problem[] {
  if (expiry === undefined || expiry === "none") return [];
  if (expiry <= 0 || expiry >= nearExpiryLead) return [];
  const lead = formatDuration(nearExpiryLead);
  const message = `is shorter than ${lead}, so the near-expiry event of Key Vault comes before the due moment and starts nothing; use ${lead} or longer, so that the event can replace a missed sweep`;
  return [warning("expiry", message)];
}

/** Each rotation proves the secret, and the next heartbeat counts from that. The usual interval was not chosen by anyone. */
function checkHeartbeat({ every, verifyEvery }: Policy): Problem[] {
  if (typeof verifyEvery !== "number" || verifyEvery === usualVerifyEvery) return [];
  if (every === undefined || verifyEvery < every) return [];
  const message = `has no effect, because each rotation verifies the secret and comes at least as often (every ${formatDuration(every)})`;
  return [warning("verifyEvery", message)];
}

function warning(field: keyof Policy, message: string): Problem {
  return { severity: "warning", path: [field], message };
}
