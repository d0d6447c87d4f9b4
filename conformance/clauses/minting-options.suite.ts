import { expect, it } from "vitest";
import { ConfigError } from "../../shared/core/errors.ts";
import { minute } from "../../shared/core/time.ts";
import type { MintingSubject } from "../minting-fixture.ts";
import type { MintingSteps } from "../minting-steps.ts";

/** A request is sent within so many milliseconds after it is announced. */
const sendLimitMs = 2 * minute;

/** The rules for what a rotator with `mint` says about itself and its options. */
export function testMintingOptions<Options>(
  steps: MintingSteps<Options>,
  { mints, settles, lacksText }: MintingSubject<Options>,
): void {
  it("creates secrets, and sets none", () => {
    const { rotator } = steps.fixture.aimed;
    expect([typeof rotator.mint, "apply" in rotator]).toEqual(["function", false]);
  });

  it("says what it can do, and where its target is", () => {
    const { aimed, endpoint, using } = steps.fixture;
    const { rotator, options } = aimed;
    const { selfService, admin, identity } = rotator.capabilities;
    expect({ self: selfService, admin, identity }[using.as]).toBe(true);
    expect(rotator.endpoint(options)).toEqual(endpoint);
    expect(rotator.overlaps?.(options) ?? false).toBe(mints === "beside");
    const names = ["retire", "discard", "settle"] as const;
    expect(names.filter((name) => name in rotator)).toEqual([
      ...(mints === "pair" ? ["retire"] : ["discard"]),
      ...(settles === true ? ["settle"] : []),
    ]);
  });

  it("says how long a late request may replace a key, and nothing if none is replaced", () => {
    const { rotator, options } = steps.fixture.aimed;
    const settleTime = rotator.findSettleTime?.(options);
    if (mints === "pair") expect(settleTime).toBeGreaterThan(sendLimitMs);
    else expect(settleTime).toBeUndefined();
  });

  it("accepts its own options and no unknown ones", () => {
    const { rotator, options } = steps.fixture.aimed;
    expect(rotator.options.parse(options)).toEqual(options);
    expect(rotator.options.safeParse({ ...options, surprise: 1 }).success).toBe(false);
  });

  it("reads the secret in its own connection strings, and none in a secret", () => {
    const { rotator, options } = steps.fixture.aimed;
    const { published } = steps.turn();
    expect(rotator.readConnectionString?.(published.secret)).toBeUndefined();
    // Some systems name their secrets in the text.
    const named = { ...published, secretId: published.secretId ?? "an-id" };
    const write = () => rotator.toConnectionString?.(options, named);
    if (lacksText === true) {
      expect(write).toThrow(ConfigError);
      expect(rotator.findTextFault?.(options)).toBeDefined();
      return;
    }
    const text = write();
    if (text === undefined) return;
    expect(rotator.readConnectionString?.(text)?.secret.equals(published.secret)).toBe(true);
  });
}
