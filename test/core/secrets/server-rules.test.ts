import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkPassword } from "../../../shared/core/policy/checks/check-password.ts";
import { generatePassword, type PasswordRules } from "../../../shared/core/secrets/password.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import {
  findBrokenRule,
  findRuleConflicts,
  type ServerRules,
} from "../../../shared/core/secrets/server-rules.ts";

const policy: PasswordRules = { length: 20, symbols: "-_", exclude: "" };
const server = (rules: Omit<ServerRules, "source">): ServerRules => ({
  source: "the server",
  ...rules,
});

describe("a rule of a server for passwords", () => {
  it.each([
    [{ minLength: 6 }, "Ab-45", "Ab-456", "at least 6 characters"],
    [{ maxLength: 5 }, "Ab-456", "Ab-45", "at most 5 characters"],
    [{ atLeast: { upper: 2 } }, "Abcdef", "ABcdef", "at least 2 upper"],
    [{ atLeast: { lower: 1 } }, "ABC-1", "aBC-1", "at least 1 lower"],
    [{ atLeast: { digits: 2 } }, "abc1", "abc12", "at least 2 digits"],
    [{ atLeast: { symbols: 1 } }, "abc1", "abc1 ", "at least 1 symbols"],
    [{ without: "<>" }, "a<b", "a-b", "none of the characters <>"],
    [{ oneOf: "-_" }, "ab", "a_b", "one of the characters -_"],
    [{ maxRun: 2 }, "aXXXb", "aXXbXX", "no character more than 2 times in a row"],
    [{ withoutAccount: true }, "x-app-x", "x-App-x", "without the name of the account"],
    [{ withoutAccount: true, ignoresCase: true }, "x-App-x", "x-ap-x", "without the name"],
    [{ without: "X", ignoresCase: true }, "axb", "a-b", "none of the characters X"],
  ])("%j is broken by %s and not by %s", (rules, bad, good, sentence) => {
    const broken = findBrokenRule(server(rules), new Secret(bad), "app");
    expect(broken).toContain(`the server requires `);
    expect(broken).toContain(sentence);
    expect(broken).not.toContain(bad);
    expect(findBrokenRule(server(rules), new Secret(good), "app")).toBeUndefined();
  });

  it("is in conflict with a policy that may break it, with what to write instead", () => {
    const strict = server({ minLength: 30, atLeast: { digits: 2 }, without: "<-", maxRun: 1 });
    expect(findRuleConflicts(strict, policy)).toEqual([
      "`length` must be at least 30",
      "`atLeast.digits` must be at least 2",
      "`exclude` must contain -",
      "`noRepeats` must be true",
    ]);
    const cured = { ...policy, length: 30, atLeast: { digits: 2 }, exclude: "-", noRepeats: true };
    expect(findRuleConflicts(strict, cured)).toEqual([]);
    expect(findRuleConflicts(server({ maxLength: 10 }), policy)).toEqual([
      "`length` must be at most 10",
    ]);
    expect(
      findRuleConflicts(server({ atLeast: { symbols: 1 } }), { ...policy, symbols: "" }),
    ).toEqual(["the rules must leave some symbols, because 1 are required"]);
  });

  it("is satisfied by every password of a policy without conflicts", () => {
    const count = fc.integer({ min: 0, max: 3 });
    const classes = fc.record({ lower: count, upper: count, digits: count, symbols: count });
    const rules = fc.record({
      minLength: fc.integer({ min: 0, max: 30 }),
      maxLength: fc.integer({ min: 18, max: 128 }),
      atLeast: classes,
      without: fc.string({ maxLength: 2 }),
    });
    const policies = fc.record({
      length: fc.integer({ min: 16, max: 40 }),
      symbols: fc.constantFrom("-_.~", "!-", "-"),
      exclude: fc.string({ maxLength: 3 }),
      atLeast: classes,
    });
    let satisfied = 0;
    fc.assert(
      fc.property(rules, policies, (strict, generating) => {
        // Rules that hardly any random password satisfies are refused by the configuration check.
        fc.pre(checkPassword(generating).length === 0);
        fc.pre(findRuleConflicts(server(strict), generating).length === 0);
        satisfied += 1;
        const password = new Secret(generatePassword(generating, ["app"], randomBytes));
        expect(findBrokenRule(server(strict), password, "app")).toBeUndefined();
      }),
    );
    expect(satisfied).toBeGreaterThan(50);
  });
});
