import { checkPolicy } from "../../../shared/core/policy/checks/check-policy.ts";
import type { Policy } from "../../../shared/core/policy/policy.ts";
import { policyWith } from "./sample.ts";

const from = "2026-06-01T12:00:00.000Z";

export function check(fields: Partial<Policy>) {
  return checkPolicy(policyWith(fields), from);
}

/** Formats problems as `severity path message`, with the first date. */
export function said(fields: Partial<Policy>): string[] {
  return check(fields).map(
    ({ severity, path, message, firstAt }) =>
      `${severity} ${path.join(".")}: ${message}${firstAt === undefined ? "" : ` [${firstAt}]`}`,
  );
}
