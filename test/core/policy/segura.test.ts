import { describe, expect, it } from "vitest";
import { retryDelay } from "../../../shared/core/lifecycle/retry.ts";
import { type Subject, toEffectivePolicy } from "../../../shared/core/policy/choose.ts";
import { computeNextDue, type Facts } from "../../../shared/core/policy/due/schedule.ts";
import type { Match, Policy } from "../../../shared/core/policy/policy.ts";
import { day, hour, minute } from "../../../shared/core/time.ts";
import { policyWith } from "./sample.ts";

/*
 * The credential policies and retries that the documentation of Segura describes, field by field and in our words, and what
 * Keyturn does with an equivalent policy.
 */

/** This day is a Monday. */
const changedAt = "2026-06-01T12:00:00.000Z";

interface Row {
  /** The rules that Segura documents. */
  readonly says: string;
  readonly policy: Partial<Policy>;
  readonly facts?: Omit<Facts, "targetId">;
  readonly at: string | undefined;
}

const seen = { changedAt, exposedAt: "2026-06-02T08:00:00.000Z", exposureBy: "ben" };
const weekdays = ["mon", "tue", "wed", "thu", "fri"] as const;

const rows: Readonly<Record<string, readonly Row[]>> = {
  "expiry by time": [
    {
      says: "newer pages: a password is valid for so many months since its last change, used or not",
      policy: { every: 90 * day },
      facts: { changedAt, lastUsedAt: "2026-08-29T00:00:00.000Z" },
      at: "2026-08-30T12:00:00.000Z",
    },
    {
      says: "the unit may be hours",
      policy: { every: 5 * hour },
      at: "2026-06-01T17:00:00.000Z",
    },
    {
      says: "the unit may be minutes",
      policy: { every: 45 * minute },
      at: "2026-06-01T12:45:00.000Z",
    },
    {
      says: "older pages: a password expires when it has not been used for so long",
      policy: { afterIdle: 30 * day },
      facts: { changedAt, lastUsedAt: "2026-06-10T09:00:00.000Z" },
      at: "2026-07-10T09:00:00.000Z",
    },
  ],
  "expiry per view": [
    {
      says: "a password is changed by itself so many minutes after somebody viewed it",
      policy: { every: 90 * day, afterExposure: 30 * minute },
      facts: seen,
      at: "2026-06-02T08:30:00.000Z",
    },
    {
      says: "the unit may be days",
      policy: { every: 90 * day, afterExposure: 2 * day },
      facts: seen,
      at: "2026-06-04T08:00:00.000Z",
    },
    {
      says: "a password that nobody viewed expires by time alone",
      policy: { every: 90 * day, afterExposure: 30 * minute },
      at: "2026-08-30T12:00:00.000Z",
    },
    {
      says: "a view does not outlive the next change",
      policy: { every: 90 * day, afterExposure: 30 * minute },
      facts: { ...seen, changedAt: "2026-06-02T08:30:00.000Z" },
      at: "2026-08-31T08:30:00.000Z",
    },
    {
      says: "expiry days hold for views too",
      policy: { afterExposure: 30 * minute, days: ["sat"] },
      facts: seen,
      at: "2026-06-06T00:00:00.000Z",
    },
  ],
  "expiry days": [
    {
      says: "every day is ticked: the day on which the password expires will do",
      policy: { every: 9 * day, days: ["sun", ...weekdays, "sat"] },
      at: "2026-06-10T12:00:00.000Z",
    },
    {
      says: "some days are ticked: an expired password is changed on the next of these",
      policy: { every: 9 * day, days: ["mon", "fri"] },
      at: "2026-06-12T00:00:00.000Z",
    },
    {
      says: "one day is ticked, and it is the one on which the password expires",
      policy: { every: 9 * day, days: ["wed"] },
      at: "2026-06-10T12:00:00.000Z",
    },
    {
      says: "ticked days only filter: without an expiry there is no change on them",
      policy: { afterExposure: hour, days: ["mon"] },
      at: undefined,
    },
  ],
  "expiry times by appointment": [
    {
      says: "one hour is chosen: the change comes at this hour",
      policy: { every: 9 * day, at: ["22:00"] },
      at: "2026-06-10T22:00:00.000Z",
    },
    {
      says: "several hours are chosen: the first one after the expiry counts",
      policy: { every: 9 * day, at: ["03:00", "13:00", "23:00"] },
      at: "2026-06-10T13:00:00.000Z",
    },
    {
      says: "hours and ticked days hold together",
      policy: { every: 9 * day, at: ["03:00"], days: ["sat", "sun"] },
      at: "2026-06-13T03:00:00.000Z",
    },
  ],
  "expiry times by lapse": [
    {
      says: "from one hour to another: a password that expires within changes at once",
      policy: { every: 9 * day, between: [{ from: "10:00", to: "14:00" }] },
      at: "2026-06-10T12:00:00.000Z",
    },
    {
      says: "a password that expires outside waits for the beginning of the lapse",
      policy: { every: 9 * day, between: [{ from: "20:00", to: "22:00" }] },
      at: "2026-06-10T20:00:00.000Z",
    },
    {
      says: "several lapses: the next one that begins",
      policy: {
        every: 9 * day,
        between: [
          { from: "01:00", to: "02:00" },
          { from: "18:00", to: "19:00" },
        ],
      },
      at: "2026-06-10T18:00:00.000Z",
    },
    {
      says: "lapses and ticked days hold together",
      policy: { every: 9 * day, between: [{ from: "01:00", to: "02:00" }], days: [...weekdays] },
      at: "2026-06-11T01:00:00.000Z",
    },
  ],
  "days of early change": [
    {
      says: "so many days before the expiry a change may take the ticked day that comes first",
      policy: { every: 30 * day, headStart: 5 * day, days: ["sun"] },
      at: "2026-06-28T00:00:00.000Z",
    },
  ],
  "the first change": [
    {
      says: "of a registered credential must be requested; then the policy decides",
      policy: { every: 30 * day, adopt: { mode: "verify" } },
      facts: { adoptedAt: changedAt },
      at: "2026-07-01T12:00:00.000Z",
    },
    {
      says: "of a credential that was registered by API may come at once",
      policy: { every: 30 * day, adopt: { mode: "rotate" } },
      facts: { adoptedAt: changedAt },
      at: changedAt,
    },
    {
      says: "of a credential that was registered by API may come after so many minutes",
      policy: { every: 30 * day, adopt: { mode: "rotate", delay: 20 * minute } },
      facts: { adoptedAt: changedAt },
      at: "2026-06-01T12:20:00.000Z",
    },
  ],
};

describe.each(Object.entries(rows))("Segura's %s", (_, some) => {
  it.each(some)("$says", ({ policy, facts = { changedAt }, at }) => {
    expect(computeNextDue(policyWith(policy), { targetId: "orders", ...facts }, changedAt).at).toBe(
      at,
    );
  });
});

const server: Subject = {
  targetId: "orders-db",
  type: "postgresql",
  vault: "main",
  host: "orders.example",
  environment: "prod",
  tags: { site: "vienna", tier: "gold" },
};

function policy(name: string, match: Match, fields: Partial<Policy> = {}): Policy {
  return policyWith({ name, match, ...fields });
}

describe("Segura's criteria and priority", () => {
  const anywhere = policy("anywhere", {}, { priority: 1, every: 90 * day });
  const vienna = policy("vienna", { tags: { site: "vienna" } }, { priority: 10, every: 30 * day });
  const gold = policy("gold", { tags: { tier: "gold" } }, { priority: 20, every: 7 * day });
  const graz = policy("graz", { tags: { site: "graz" } }, { priority: 30, every: day });

  it.each<[string, readonly Policy[], Subject, string]>([
    ["the only matching policy applies", [anywhere, graz], server, "anywhere"],
    [
      "if several policies match, the highest number wins",
      [anywhere, gold, vienna],
      server,
      "gold",
    ],
    [
      "a higher number wins over narrower criteria",
      [policy("all", {}, { priority: 99 }), gold],
      server,
      "all",
    ],
    ["the number of a policy that does not match is ignored", [graz, vienna], server, "vienna"],
    [
      "a credential with a new tag is bound to another policy automatically",
      [anywhere, vienna, gold, graz],
      { ...server, tags: { site: "graz", tier: "gold" } },
      "graz",
    ],
    [
      "a credential that loses a tag falls back to the next matching policy",
      [anywhere, vienna, gold, graz],
      { ...server, tags: { site: "vienna" } },
      "vienna",
    ],
    [
      "one match in a list of devices, models or types is enough",
      [anywhere, policy("some", { type: ["mysql", "postgresql"] }, { priority: 5 })],
      server,
      "some",
    ],
    [
      "every given criterion must match",
      [anywhere, policy("both", { type: ["postgresql"], host: ["billing.*"] }, { priority: 5 })],
      server,
      "anywhere",
    ],
  ])("%s", (_, policies, subject, expected) => {
    for (const some of [policies, policies.toReversed()]) {
      const choice = toEffectivePolicy(subject, some);
      expect("policy" in choice && choice.policy.name).toBe(expected);
    }
  });

  it("a newly bound policy counts from the previous change", () => {
    const due = (subject: Subject) => {
      const choice = toEffectivePolicy(subject, [anywhere, vienna, gold, graz]);
      return (
        "policy" in choice &&
        computeNextDue(choice.policy, { targetId: "o", changedAt }, changedAt).at
      );
    };
    expect(due(server)).toBe("2026-06-08T12:00:00.000Z");
    expect(due({ ...server, tags: { site: "vienna" } })).toBe("2026-07-01T12:00:00.000Z");
    expect(due({ ...server, tags: {} })).toBe("2026-08-30T12:00:00.000Z");
  });

  it("equal numbers, which Segura does not define, are a problem", () => {
    const other = policy("other", { type: ["postgresql"] }, { priority: 20 });
    expect(toEffectivePolicy(server, [vienna, gold, other])).toHaveProperty("problem");
    const higher = { ...other, priority: 21 };
    expect(toEffectivePolicy(server, [vienna, gold, higher])).toHaveProperty("policy", higher);
  });
});

describe("Segura's execution parameters", () => {
  /** Three attempts with five minutes between them, then two hours. */
  const retry = { attempts: 3, every: 5 * minute, thenEvery: 2 * hour, jitter: 0 };

  it.each([
    ["the short interval follows the first attempt", 1, 5 * minute],
    ["the short interval follows the second attempt", 2, 5 * minute],
    ["the long interval follows the last of the attempts", 3, 2 * hour],
    ["the long interval follows every further attempt", 4, 2 * hour],
    ["the long interval repeats as long as attempts fail", 50, 2 * hour],
  ])("%s", (_, failures, distance) => {
    expect(retryDelay(retry, failures, "orders")).toBe(distance);
  });

  it("with a single attempt, the short interval is not used", () => {
    expect(retryDelay({ ...retry, attempts: 1 }, 1, "orders")).toBe(2 * hour);
  });
});
