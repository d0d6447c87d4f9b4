import { describe, expect, it } from "vitest";
import { computeNextDue, type Facts } from "../../../../shared/core/policy/due/schedule.ts";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour } from "../../../../shared/core/time.ts";
import { policyWith } from "../sample.ts";

const monday = "2026-06-01T12:00:00.000Z";

interface Row {
  readonly what: string;
  readonly policy: Partial<Policy>;
  readonly facts: Omit<Facts, "targetId">;
  readonly now?: string;
  readonly at: string | undefined;
  readonly reason: string;
}

const nights = [{ from: "22:00", to: "04:00" }];

/** One rule each, with its reason. The rules that another product documents are in segura.test.ts. */
const rows: Row[] = [
  {
    what: "every 30 days, whether or not anybody used it",
    policy: { every: 30 * day },
    facts: { changedAt: monday, lastUsedAt: "2026-06-02T00:00:00.000Z" },
    at: "2026-07-01T12:00:00.000Z",
    reason: "policy test: due 30d after 2026-06-01T12:00:00.000Z",
  },
  {
    what: "an age that ends on a Wednesday waits for the ticked Saturday",
    policy: { every: 30 * day, days: ["sat"] },
    facts: { changedAt: monday },
    at: "2026-07-04T00:00:00.000Z",
    reason:
      "policy test: due 30d after 2026-06-01T12:00:00.000Z; starts in the window from Sat 2026-07-04 00:00 UTC",
  },
  {
    what: "a head start takes the Saturday before",
    policy: { every: 30 * day, days: ["sat"], headStart: 7 * day },
    facts: { changedAt: monday },
    at: "2026-06-27T00:00:00.000Z",
    reason:
      "policy test: due 30d after 2026-06-01T12:00:00.000Z; may start 7d earlier (headStart); starts in the window from Sat 2026-06-27 00:00 UTC",
  },
  {
    what: "without windows the head start is taken in full",
    policy: { every: 30 * day, headStart: 7 * day },
    facts: { changedAt: monday },
    at: "2026-06-24T12:00:00.000Z",
    reason: "policy test: due 30d after 2026-06-01T12:00:00.000Z; may start 7d earlier (headStart)",
  },
  {
    what: "a lapse of hours is waited for",
    policy: { every: 30 * day, between: nights, timeZone: "Europe/Vienna" },
    facts: { changedAt: monday },
    at: "2026-07-01T20:00:00.000Z",
    reason:
      "policy test: due 30d after 2026-06-01T12:00:00.000Z; starts in the window from Wed 2026-07-01 22:00 Europe/Vienna",
  },
  {
    what: "a night belongs to the day on which it begins",
    policy: { every: day, days: ["fri"], between: nights },
    facts: { changedAt: "2026-06-05T02:00:00.000Z" },
    at: "2026-06-06T02:00:00.000Z",
    reason: "policy test: due 1d after 2026-06-05T02:00:00.000Z",
  },
  {
    what: "the hours after midnight are not those of the day they lie on",
    policy: { every: day, days: ["sat"], between: nights },
    facts: { changedAt: "2026-06-05T02:00:00.000Z" },
    at: "2026-06-06T22:00:00.000Z",
    reason:
      "policy test: due 1d after 2026-06-05T02:00:00.000Z; starts in the window from Sat 2026-06-06 22:00 UTC",
  },
  {
    what: "of several appointments the next one counts",
    policy: { every: 30 * day, at: ["02:30", "14:30"] },
    facts: { changedAt: monday },
    at: "2026-07-01T14:30:00.000Z",
    reason:
      "policy test: due 30d after 2026-06-01T12:00:00.000Z; scheduled for Wed 2026-07-01 14:30 UTC",
  },
  {
    what: "an appointment that has just begun is over for a secret that falls due after it",
    policy: { every: 30 * day, at: ["12:00"] },
    facts: { changedAt: "2026-06-01T12:00:00.001Z" },
    at: "2026-07-02T12:00:00.000Z",
    reason:
      "policy test: due 30d after 2026-06-01T12:00:00.001Z; scheduled for Thu 2026-07-02 12:00 UTC",
  },
  {
    what: "a cron expression alone is the schedule",
    policy: { cron: "30 2 * * 0", timeZone: "Europe/Vienna" },
    facts: { changedAt: monday },
    at: "2026-06-07T00:30:00.000Z",
    reason:
      "policy test: due by cron 30 2 * * 0; last changed at 2026-06-01T12:00:00.000Z; scheduled for Sun 2026-06-07 02:30 Europe/Vienna",
  },
  {
    what: "an appointment at the very moment of the last change has been kept",
    policy: { cron: "0 12 * * *" },
    facts: { changedAt: monday },
    at: "2026-06-02T12:00:00.000Z",
    reason:
      "policy test: due by cron 0 12 * * *; last changed at 2026-06-01T12:00:00.000Z; scheduled for Tue 2026-06-02 12:00 UTC",
  },
  {
    what: "beside an age a cron expression says when a change may start",
    policy: { cron: "30 2 * * 0", every: 30 * day },
    facts: { changedAt: monday },
    at: "2026-07-05T02:30:00.000Z",
    reason:
      "policy test: due 30d after 2026-06-01T12:00:00.000Z; scheduled for Sun 2026-07-05 02:30 UTC",
  },
  {
    what: "after a view the clock runs from the first one",
    policy: { every: 30 * day, afterExposure: 4 * hour },
    facts: { changedAt: monday, exposedAt: "2026-06-02T08:00:00.000Z", exposureBy: "eve" },
    at: "2026-06-02T12:00:00.000Z",
    reason: "policy test: due 4h after the exposure at 2026-06-02T08:00:00.000Z",
  },
  {
    what: "after a view the change waits for its window",
    policy: { afterExposure: 4 * hour, between: nights },
    facts: { changedAt: monday, exposedAt: "2026-06-02T08:00:00.000Z" },
    at: "2026-06-02T22:00:00.000Z",
    reason:
      "policy test: due 4h after the exposure at 2026-06-02T08:00:00.000Z; starts in the window from Tue 2026-06-02 22:00 UTC",
  },
  {
    what: "after a view the change need not wait when the policy says so, nor is it spread",
    policy: { afterExposure: 4 * hour, between: nights, exposureIgnoresWindow: true, spread: hour },
    facts: { changedAt: monday, exposedAt: "2026-06-02T08:00:00.000Z" },
    at: "2026-06-02T12:00:00.000Z",
    reason: "policy test: due 4h after the exposure at 2026-06-02T08:00:00.000Z; ignores windows",
  },
  {
    what: "a view by somebody exempt starts no clock",
    policy: { every: 30 * day, afterExposure: 4 * hour, exemptIdentities: ["*@Backup.example"] },
    facts: {
      changedAt: monday,
      exposedAt: "2026-06-02T08:00:00.000Z",
      exposureBy: "Nightly@backup.example",
    },
    at: "2026-07-01T12:00:00.000Z",
    reason: "policy test: due 30d after 2026-06-01T12:00:00.000Z",
  },
  {
    what: "without an exposure nothing is due that only exposures make due, changed or not",
    policy: { afterExposure: 4 * hour },
    facts: {},
    at: undefined,
    reason: "policy test: no schedule is set, and nothing else has made a rotation due",
  },
  {
    what: "an exposure counts for nothing where the policy does not mention exposures",
    policy: { every: 30 * day },
    facts: { changedAt: monday, exposedAt: "2026-06-02T08:00:00.000Z" },
    at: "2026-07-01T12:00:00.000Z",
    reason: "policy test: due 30d after 2026-06-01T12:00:00.000Z",
  },
  {
    what: "a secret that was used and never changed is idle from its use on",
    policy: { afterIdle: 7 * day },
    facts: { lastUsedAt: monday },
    at: "2026-06-08T12:00:00.000Z",
    reason: "policy test: due after 7d without use since 2026-06-01T12:00:00.000Z",
  },
  {
    what: "an adopted credential that nobody knows to have changed is rotated when the policy says so",
    policy: { every: 30 * day, adopt: { mode: "rotate" } },
    facts: { adoptedAt: monday },
    at: "2026-06-01T12:00:00.000Z",
    reason: "policy test: due 0ms after the adoption at 2026-06-01T12:00:00.000Z",
  },
  {
    what: "a view before the last change has been answered by it",
    policy: { every: 30 * day, afterExposure: 4 * hour },
    facts: { changedAt: monday, exposedAt: "2026-06-01T11:59:59.999Z" },
    at: "2026-07-01T12:00:00.000Z",
    reason: "policy test: due 30d after 2026-06-01T12:00:00.000Z",
  },
  {
    what: "a view at the very moment of the change counts",
    policy: { every: 30 * day, afterExposure: 4 * hour },
    facts: { changedAt: monday, exposedAt: monday },
    at: "2026-06-01T16:00:00.000Z",
    reason: "policy test: due 4h after the exposure at 2026-06-01T12:00:00.000Z",
  },
  {
    what: "without use for a week it is due",
    policy: { afterIdle: 7 * day },
    facts: { changedAt: "2026-05-01T00:00:00.000Z", lastUsedAt: monday },
    at: "2026-06-08T12:00:00.000Z",
    reason: "policy test: due after 7d without use since 2026-06-01T12:00:00.000Z",
  },
  {
    what: "a secret that nobody has used since its change is idle from the change on",
    policy: { afterIdle: 7 * day },
    facts: { changedAt: monday, lastUsedAt: "2026-05-01T00:00:00.000Z" },
    at: "2026-06-08T12:00:00.000Z",
    reason: "policy test: due after 7d without use since 2026-06-01T12:00:00.000Z",
  },
  {
    what: "without a signal of use nothing is idle",
    policy: { afterIdle: 7 * day },
    facts: { changedAt: monday },
    at: undefined,
    reason: "policy test: no schedule is set, and nothing else has made a rotation due",
  },
  {
    what: "an adopted credential waits for its first due moment, counted from the adoption",
    policy: { every: 30 * day },
    facts: { adoptedAt: monday },
    at: "2026-07-01T12:00:00.000Z",
    reason: "policy test: due 30d after 2026-06-01T12:00:00.000Z",
  },
  {
    what: "an adopted credential is changed after the delay when the policy says rotate",
    policy: { every: 30 * day, adopt: { mode: "rotate", delay: 2 * hour } },
    facts: { adoptedAt: monday, changedAt: "2026-05-31T00:00:00.000Z" },
    at: "2026-06-01T14:00:00.000Z",
    reason: "policy test: due 2h after the adoption at 2026-06-01T12:00:00.000Z",
  },
  {
    what: "a change at or after the adoption was the first one",
    policy: { every: 30 * day, adopt: { mode: "rotate" } },
    facts: { adoptedAt: monday, changedAt: monday },
    at: "2026-07-01T12:00:00.000Z",
    reason: "policy test: due 30d after 2026-06-01T12:00:00.000Z",
  },
  {
    what: "what was never changed and never adopted is due at once",
    policy: { every: 30 * day },
    facts: {},
    at: "2026-06-01T12:00:00.000Z",
    reason: "policy test: due as soon as possible, because the secret was never changed",
  },
  {
    what: "what was never changed waits for a window too, and for its place in the spread",
    policy: { cron: "0 22 * * *", spread: hour },
    facts: {},
    at: "2026-06-01T22:06:34.988Z",
    reason:
      "policy test: due as soon as possible, because the secret was never changed; scheduled for Mon 2026-06-01 22:00 UTC; delayed by 7 min (spread)",
  },
  {
    what: "in manual-only mode nothing is due",
    policy: { manualOnly: true, every: 30 * day },
    facts: { changedAt: "2020-01-01T00:00:00.000Z", lastUsedAt: monday },
    at: undefined,
    reason: "policy test: manualOnly is set, so only a request starts a rotation",
  },
  {
    what: "in manual-only mode a view still starts its clock",
    policy: { manualOnly: true, afterExposure: hour },
    facts: { exposedAt: monday },
    at: "2026-06-01T13:00:00.000Z",
    reason: "policy test: due 1h after the exposure at 2026-06-01T12:00:00.000Z",
  },
  {
    what: "a missed window is made up for in the next one",
    policy: { every: 30 * day, days: ["sat"], between: [{ from: "02:00", to: "03:00" }] },
    facts: { changedAt: monday },
    now: "2026-07-04T03:00:00.000Z",
    at: "2026-07-11T02:00:00.000Z",
    reason:
      "policy test: due 30d after 2026-06-01T12:00:00.000Z; starts in the window from Sat 2026-07-11 02:00 UTC",
  },
  {
    what: "a window that is still open is taken although its beginning was missed",
    policy: { every: 30 * day, days: ["sat"], between: [{ from: "02:00", to: "03:00" }] },
    facts: { changedAt: monday },
    now: "2026-07-04T02:59:59.999Z",
    at: "2026-07-04T02:00:00.000Z",
    reason:
      "policy test: due 30d after 2026-06-01T12:00:00.000Z; starts in the window from Sat 2026-07-04 02:00 UTC",
  },
  {
    what: "an appointment may be kept up to fifteen minutes late",
    policy: { every: 30 * day, at: ["14:30"] },
    facts: { changedAt: monday },
    now: "2026-07-01T14:44:59.999Z",
    at: "2026-07-01T14:30:00.000Z",
    reason:
      "policy test: due 30d after 2026-06-01T12:00:00.000Z; scheduled for Wed 2026-07-01 14:30 UTC",
  },
  {
    what: "an appointment that is longer ago was missed",
    policy: { every: 30 * day, at: ["14:30"] },
    facts: { changedAt: monday },
    now: "2026-07-01T14:45:00.000Z",
    at: "2026-07-02T14:30:00.000Z",
    reason:
      "policy test: due 30d after 2026-06-01T12:00:00.000Z; scheduled for Thu 2026-07-02 14:30 UTC",
  },
];

describe("a policy", () => {
  it.each(rows)("$what", ({ policy, facts, now = monday, at, reason }) => {
    const due = computeNextDue(policyWith(policy), { targetId: "orders", ...facts }, now);
    expect({ at: due.at, reason: due.reason }).toStrictEqual({ at, reason });
    expect(due.policy).toBe("test");
    expect(due.passedOver.filter(({ why }) => why.startsWith("no window ever"))).toStrictEqual([]);
  });
});
