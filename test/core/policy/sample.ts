import type { Policy } from "../../../shared/core/policy/policy.ts";
import { defaultPasswordRules } from "../../../shared/core/secrets/password.ts";
import { hour, minute } from "../../../shared/core/time.ts";

/** Makes a policy whose only time settings are those of the test. */
export function policyWith(fields: Partial<Policy>): Policy {
  return {
    name: "test",
    password: defaultPasswordRules,
    retry: { attempts: 3, every: 10 * minute, thenEvery: 6 * hour },
    ...fields,
  };
}

/** Zones with summer time in the north and the south, with changes of half an hour, and with offsets of partial hours. */
export const zones = [
  "UTC",
  "Europe/Vienna",
  "America/New_York",
  "America/St_Johns",
  "America/Santiago",
  "Australia/Sydney",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Pacific/Chatham",
  "Africa/Casablanca",
  "Africa/Cairo",
  "Asia/Kolkata",
];
