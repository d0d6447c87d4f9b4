import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Subject, toEffectivePolicy } from "../../../shared/core/policy/choose.ts";
import { matchesGlob } from "../../../shared/core/policy/glob.ts";
import type { Match, Policy, PolicyFields } from "../../../shared/core/policy/policy.ts";
import { day } from "../../../shared/core/time.ts";
import { policyWith } from "./sample.ts";

const orders: Subject = {
  targetId: "orders-db",
  type: "postgresql",
  vault: "main",
  host: "Orders.postgres.database.azure.com",
  owner: "team-orders",
  environment: "prod",
  tags: { tier: "gold", site: "vienna" },
};

function named(name: string, fields: Partial<Policy> = {}): Policy {
  return policyWith({ name, ...fields });
}

function chosen(subject: Subject, policies: readonly Policy[]) {
  const choice = toEffectivePolicy(subject, policies);
  if ("problem" in choice) throw new Error(choice.problem);
  return choice;
}

describe("the policy of a target", () => {
  it.each<[string, Match, boolean]>([
    ["its type", { type: ["mysql", "postgresql"] }, true],
    ["another type", { type: ["mysql"] }, false],
    ["its vault", { vault: ["ma*"] }, true],
    ["another vault", { vault: ["other"] }, false],
    ["its host in upper or lower case", { host: ["*.POSTGRES.database.azure.com"] }, true],
    ["another host", { host: ["*.mysql.database.azure.com"] }, false],
    ["its owner", { owner: ["team-?rders"] }, true],
    ["another owner", { owner: ["team-billing"] }, false],
    ["its environment", { environment: ["prod"] }, true],
    ["another environment", { environment: ["test"] }, false],
    ["its id", { target: ["orders-*"] }, true],
    ["another id", { target: ["orders"] }, false],
    ["its tags", { tags: { tier: "g*", site: "vienna" } }, true],
    ["one tag of two", { tags: { tier: "gold", site: "graz" } }, false],
    ["a tag that it does not have", { tags: { colour: "*" } }, false],
    ["everything", {}, true],
    ["all of several criteria", { type: ["postgresql"], environment: ["prod"] }, true],
    ["one of several criteria", { type: ["postgresql"], environment: ["test"] }, false],
    ["none of an empty list", { type: [] }, false],
  ])("is found by %s", (_, match, matches) => {
    const { policy } = chosen(orders, [named("default"), named("special", { match })]);
    expect(policy.name).toBe(matches ? "special" : "default");
  });

  it("is not found by a criterion for which the target has no value", () => {
    const { host: _h, owner: _o, environment: _e, ...bare } = orders;
    for (const match of [{ host: ["*"] }, { owner: ["*"] }, { environment: ["*"] }]) {
      expect(chosen(bare, [named("default"), named("special", { match })]).policy.name).toBe(
        "default",
      );
    }
  });

  it("is the one with the highest priority, with reasons against the others", () => {
    const policies = [
      named("default"),
      named("low", { match: { environment: ["prod"] }, priority: 1 }),
      named("high", { match: { tags: { tier: "gold" }, type: ["postgresql"] }, priority: 10 }),
      named("other", { match: { vault: ["spare"] }, priority: 99 }),
      named("tagged", { match: { tags: { tier: "iron" } }, priority: 98 }),
    ];
    expect(toEffectivePolicy(orders, policies)).toStrictEqual({
      policy: policies[2],
      why: "matches tag tier=gold, type postgresql, priority 10",
      passedOver: [
        { policy: "default", why: "is only for targets that name it" },
        { policy: "low", why: "also matches, priority 1" },
        { policy: "other", why: "its vault does not match" },
        { policy: "tagged", why: "its tag tier does not match" },
      ],
    });
  });

  it.each<[string, Match]>([
    ["type", { type: ["x"] }],
    ["vault", { vault: ["x"] }],
    ["host", { host: ["x"] }],
    ["owner", { owner: ["x"] }],
    ["environment", { environment: ["x"] }],
    ["target", { target: ["x"] }],
    ["tag colour", { tags: { colour: "x" } }],
  ])("is another one if the %s does not match, with this reason", (criterion, match) => {
    const { passedOver } = chosen(orders, [named("default"), named("special", { match })]);
    expect(passedOver).toStrictEqual([
      { policy: "special", why: `its ${criterion} does not match` },
    ]);
  });

  it("lists the alternatives of its criteria", () => {
    const match = { type: ["mysql", "postgresql"] };
    expect(chosen(orders, [named("some", { match })]).why).toBe(
      "matches type mysql or postgresql, priority 0",
    );
  });

  it("is a problem if two match with the same priority", () => {
    const match = { environment: ["prod"] };
    const policies = [
      named("b", { match }),
      named("a", { match, priority: 0 }),
      named("c", { match, priority: -1 }),
    ];
    expect(toEffectivePolicy(orders, policies)).toStrictEqual({
      problem:
        "policies a and b match with the same priority 0; raise the priority of one, or name a policy in the target",
    });
  });

  it("is the one that the target names, whichever others match", () => {
    const policies = [named("mine"), named("high", { match: {}, priority: 10 })];
    expect(toEffectivePolicy({ ...orders, policy: "mine" }, policies)).toStrictEqual({
      policy: policies[0],
      why: "named by the target",
      passedOver: [{ policy: "high", why: "also matches, priority 10" }],
    });
    expect(toEffectivePolicy({ ...orders, policy: "theirs" }, policies)).toStrictEqual({
      problem: "names the policy theirs, which does not exist",
    });
  });

  it("is the default policy if none matches", () => {
    expect(chosen(orders, [named("default")])).toStrictEqual({
      policy: named("default"),
      why: "matches no other policy",
      passedOver: [],
    });
    expect(toEffectivePolicy(orders, [named("spare")])).toStrictEqual({
      problem:
        "names no policy and matches no policy, and no policy is named default; add a policy named default, or name a policy in the target",
    });
  });

  it("matches every target if it has no criteria", () => {
    expect(chosen(orders, [named("all", { match: {} })]).why).toBe(
      "matches every target, priority 0",
    );
  });

  it("can be overridden in single fields, with a reason", () => {
    const fields = { spread: 0, every: 30 * day };
    const override = { fields, reason: "the auditor requires it" };
    const base = named("default", { every: 90 * day, headStart: day });
    const choice = chosen({ ...orders, override }, [base]);
    expect(choice.policy).toStrictEqual({ ...base, ...fields });
    expect(choice.why).toBe(
      "matches no other policy; every, spread set by the target: the auditor requires it",
    );
    const silent = { ...orders, override: { fields, reason: "  " } };
    expect(toEffectivePolicy(silent, [base])).toStrictEqual({
      problem: "overrides every, spread without a reason",
    });
    expect(toEffectivePolicy({ ...orders, override }, [])).toStrictEqual({
      problem:
        "names no policy and matches no policy, and no policy is named default; add a policy named default, or name a policy in the target",
    });
  });

  const at = ["02:30"];
  const between = [{ from: "22:00", to: "04:00" }];
  const days = ["sat"] as const;
  const cron = "30 2 * * 0";
  it.each<[string, Partial<Policy>, Partial<PolicyFields>, string[]]>([
    [
      "by hand only",
      { every: day, headStart: 1, cron, days },
      { manualOnly: true },
      ["cron", "every", "headStart"],
    ],
    ["by hand only", { afterIdle: day }, { manualOnly: true }, ["afterIdle"]],
    ["an age", { manualOnly: true, days }, { every: day }, ["manualOnly"]],
    ["afterIdle", { manualOnly: true }, { afterIdle: day }, ["manualOnly"]],
    ["appointments", { every: day, between, days }, { at }, ["between"]],
    ["appointments", { every: day, cron }, { at }, ["cron"]],
    ["hours", { every: day, at, days }, { between }, ["at"]],
    ["hours", { every: day, cron }, { between }, ["cron"]],
    ["days", { every: day, cron }, { days }, ["cron"]],
    ["cron", { every: day, at, days }, { cron }, ["at", "days"]],
    ["cron", { manualOnly: true, between }, { cron }, ["between", "manualOnly"]],
  ])(
    "uses an overridden %s instead of the fields that it replaces",
    (_what, policy, fields, gone) => {
      const base = named("default", policy);
      const choice = chosen({ ...orders, override: { fields, reason: "audit" } }, [base]);
      const kept = Object.entries(base).filter(([field]) => !gone.includes(field));
      expect(choice.policy).toStrictEqual({ ...Object.fromEntries(kept), ...fields });
      expect(choice.why).toContain(` set by the target instead of ${gone.join(", ")}: audit`);
    },
  );

  it("has contradictory fields if the target overrides both", () => {
    const fields = { at, between };
    const override = { fields, reason: "audit" };
    const choice = chosen({ ...orders, override }, [named("default", { every: day })]);
    expect(choice.policy).toMatchObject(fields);
    expect(choice.why).toContain("; at, between set by the target: audit");
  });

  it("does not depend on the order in which policies are defined", () => {
    const match = fc.record(
      {
        type: fc.subarray(["postgresql", "mysql"]),
        environment: fc.constantFrom(["prod"], ["t*"], ["*"]),
        tags: fc.constantFrom({ tier: "gold" }, { tier: "*" }, { site: "graz" }),
      },
      { requiredKeys: [] },
    );
    const policy = fc.record(
      { match, priority: fc.integer({ min: 0, max: 3 }) },
      { requiredKeys: [] },
    );
    const some = fc
      .array(policy, { maxLength: 6 })
      .map((list) => [named("default"), ...list.map((one, at) => named(`p${at}`, one))]);
    const shuffled = some.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
      ),
    );
    fc.assert(
      fc.property(
        shuffled,
        fc.constantFrom(undefined, "p0", "default"),
        ([one, other], policyName) => {
          const subject = { ...orders, ...(policyName !== undefined && { policy: policyName }) };
          expect(toEffectivePolicy(subject, other)).toStrictEqual(toEffectivePolicy(subject, one));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a pattern", () => {
  it("matches the same texts as the equivalent regular expression", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "+", "(", "\\", "$") });
    const pattern = fc.string({
      unit: fc.constantFrom("a", "b", ".", "+", "(", "\\", "$", "*", "?"),
    });
    fc.assert(
      fc.property(pattern, text, (wanted, found) => {
        const source = Array.from(wanted, (one) =>
          one === "*" ? ".*" : one === "?" ? "." : `\\u{${one.charCodeAt(0).toString(16)}}`,
        ).join("");
        expect(matchesGlob(wanted, found)).toBe(new RegExp(`^${source}$`, "u").test(found));
      }),
      { numRuns: 3000 },
    );
  });

  it("with many stars does not take exponential time", () => {
    expect(matchesGlob("*a".repeat(40) + "b", "a".repeat(2000))).toBe(false);
  });
});
