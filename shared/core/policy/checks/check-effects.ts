import { formatDuration } from "../../time.ts";
import { nearExpiryLead, type Policy } from "../policy.ts";
import type { Problem } from "./problem.ts";

/** What a policy says to no purpose. */
export function checkEffects(policy: Policy): Problem[] {
  return [
    ...checkExposureFields(policy),
    ...checkHoursOfNothing(policy),
    ...checkPriority(policy),
    ...checkAnnouncement(policy),
  ];
}

function checkExposureFields(policy: Policy): Problem[] {
  if (policy.afterExposure !== undefined) return [];
  const without: Problem[] = [];
  if (policy.exposureIgnoresWindow) {
    const message = "has no effect without afterExposure: no exposure makes a rotation due";
    without.push(warning("exposureIgnoresWindow", message));
  }
  if (policy.exemptIdentities?.length) {
    const message = "has no effect without afterExposure: nobody's look makes a rotation due";
    without.push(warning("exemptIdentities", message));
  }
  return without;
}

/** Windows do not bind people. */
function checkHoursOfNothing(policy: Policy): Problem[] {
  if (!policy.manualOnly || policy.afterExposure !== undefined) return [];
  const message = "has no effect with manualOnly: what a person starts waits for no window";
  return (["days", "between", "at", "spread"] as const)
    .filter((field) => policy[field] !== undefined)
    .map((field) => warning(field, message));
}

function checkPriority({ priority, match }: Policy): Problem[] {
  if (priority === undefined || match !== undefined) return [];
  const message = "has no effect without match: it ranks policies that match the same target";
  return [warning("priority", message)];
}

function checkAnnouncement({ expiry }: Policy): Problem[] {
  if (expiry === undefined || expiry === "none") return [];
  if (expiry <= 0 || expiry >= nearExpiryLead) return [];
  const lead = formatDuration(nearExpiryLead);
  const message = `is shorter than ${lead}, and Key Vault announces an expiry ${lead} before it, once: before the due moment, when it starts nothing; make it ${lead} or longer to have a net under a missed sweep`;
  return [warning("expiry", message)];
}

function warning(field: keyof Policy, message: string): Problem {
  return { severity: "warning", path: [field], message };
}
