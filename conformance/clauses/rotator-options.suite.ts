import { expect, it } from "vitest";
import { has, optional, type Subject } from "../rotator-fixture.ts";
import type { RotatorSteps } from "../rotator-steps.ts";

/** The rules for what a rotator says about itself and its options. */
export function testOptions<Options>(
  steps: RotatorSteps<Options>,
  subject: Subject<Options>,
): void {
  it("sets secrets that Keyturn chooses, and lets the system create none", () => {
    const { rotator } = steps.fixture.aimed;
    expect([typeof rotator.apply, "mint" in rotator]).toEqual(["function", false]);
  });

  it("says what it can do, and where its target is", () => {
    const { rotator, options } = steps.fixture.aimed;
    expect(rotator.capabilities.selfService).toBe(subject.authorities.includes("self"));
    expect(rotator.capabilities.identity).toBe(
      subject.authorities.includes("identity") || subject.lacksTokens === true,
    );
    expect(rotator.endpoint(options)).toEqual(steps.fixture.endpoint);
  });

  it("accepts its own options and no unknown ones", () => {
    const { rotator, options } = steps.fixture.aimed;
    expect(rotator.options.parse(options)).toEqual(options);
    expect(rotator.options.safeParse({ ...options, surprise: 1 }).success).toBe(false);
    expect(rotator.options.safeParse({}).success).toBe(false);
  });

  it("has the optional functions that this suite tries, and none that `lacks` names", () => {
    const { rotator } = steps.fixture.aimed;
    const { lacks = [] } = subject;
    expect(optional.filter((name) => has(subject, name) && !(name in rotator))).toEqual([]);
    expect(lacks.filter((name) => name in rotator)).toEqual([]);
  });
}
