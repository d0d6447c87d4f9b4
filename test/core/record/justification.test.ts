import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../shared/core/errors.ts";
import {
  describeJustification,
  requireJustification,
  storeJustification,
} from "../../../shared/core/record/justification.ts";

const given = { reason: "host compromised", ticket: "INC0007" };

describe("A configuration", () => {
  it.each([
    [["reason"], {}, "requires `reason`. Add `reason` to the request"],
    [["ticket"], { reason: "x" }, "requires `ticket`."],
    [["reason", "ticket"], {}, "requires `reason` and `ticket`."],
  ] as const)("that requires %j names what is missing in %j", (require, request, message) => {
    const rules = { require: [...require] };
    const check = () => {
      requireJustification(rules, request);
    };
    expect(check).toThrow(ConfigError);
    expect(check).toThrow(message);
    requireJustification(rules, given);
  });

  it("that requires nothing accepts a request without a reason and a ticket", () => {
    requireJustification({}, {});
    requireJustification({ ticketPattern: ["INC*"] }, { reason: "x" });
  });

  it.each([
    ["INC0007", ["INC*"], true],
    ["CHG0042", ["INC*", "CHG????"], true],
    ["CHG00420", ["INC*", "CHG????"], false],
    ["inc0007", ["INC*"], false],
  ])("accepts ticket %s by the patterns %j: %s", (ticket, ticketPattern, isAccepted) => {
    const check = () => {
      requireJustification({ ticketPattern }, { ticket });
    };
    if (isAccepted) check();
    else expect(check).toThrow(`\`ticket\` must match ${ticketPattern.join(" or ")}`);
  });

  it("decides about the worst pattern and ticket at once", () => {
    const ticketPattern = ["*a".repeat(50)];
    const begin = performance.now();
    const check = () => {
      requireJustification({ ticketPattern }, { ticket: "a".repeat(99) + "b" });
    };
    expect(check).toThrow("must match");
    expect(performance.now() - begin).toBeLessThan(100);
  });
});

describe("A stored justification", () => {
  it("has only a reason and a ticket, of bounded length, and is absent when neither was given", () => {
    expect(storeJustification({ by: "anna" } as object)).toEqual({});
    const origin = { by: "anna", ...given };
    expect(storeJustification(origin)).toEqual({ justification: given });
    fc.assert(
      fc.property(fc.string({ maxLength: 5_000 }), (reason) => {
        const stored = storeJustification({ reason }).justification?.reason ?? "";
        return reason.startsWith(stored) && stored.length <= 1_000;
      }),
    );
  });

  it("is described in words", () => {
    expect(describeJustification(given)).toBe("; reason: host compromised; ticket: INC0007");
    expect(describeJustification()).toBe("");
  });
});
