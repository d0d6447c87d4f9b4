import { describe, expect, test } from "vitest";
import { describeImmediateStart, findDelay } from "../../shared/core/dry-run.ts";
import { withRotation } from "./explanation/samples.ts";
import { at, begun, now, target } from "./orders.ts";

const refusals = [1, 2, 3, 4].map((minute) => ({
  ...{ account: "orders_b", version: `${minute}`, at: at(minute) },
}));

describe("What a dry run says about the start", () => {
  test("names the open rotation that a request continues at once", () => {
    const record = withRotation({ failures: 1, nextAttemptAt: at(15) });
    expect(findDelay(record, target, at(6))).toBeUndefined();
    expect(describeImmediateStart(record)).toBe(
      `a request made now joins rotation r1, which waits until ${at(15)}, and continues it at once`,
    );
    expect(describeImmediateStart(begun())).toMatch(/joins rotation r1 and continues/);
    const { rotation: _, ...idle } = record;
    expect(describeImmediateStart(idle)).toMatch(/starts at once/);
  });

  test.each([
    ["all log-ins", at(11)],
    ["those of a search", at(12)],
  ])("says that a request does not end the wait for %s of an account", (_what, nextAttemptAt) => {
    const record = withRotation({ nextAttemptAt }, { refusals });
    expect(findDelay(record, target, at(6))).toMatchObject({
      until: nextAttemptAt,
      why: expect.stringContaining("orders_b too often") as string,
    });
    expect(findDelay(withRotation({ nextAttemptAt }), target, now)).toBeUndefined();
  });
});
