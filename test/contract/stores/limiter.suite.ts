import { expect, test } from "vitest";
import type { PaceStore } from "../../../shared/stores/pace.ts";
import { makeSharedLimiter } from "../../../shared/stores/shared-limiter.ts";

const limits = { reads: 600, writes: 60 };

/** What every storage of the limiter does for two instances. */
export function testLimiter(where: string, open: () => PaceStore): void {
  test(`Two instances share the budget of a caller ${where}`, async () => {
    const now = () => new Date("2026-03-01T10:00:00.000Z");
    const instances = [1, 2].map(() => makeSharedLimiter(open(), limits, now));
    let admitted = 0;
    for (let sent = 0; sent < 80; sent++) {
      const answer = await instances[sent % 2]?.admit("anna", "writes");
      if (answer?.wait === 0) admitted++;
    }
    expect(admitted).toBeGreaterThanOrEqual(55);
    expect(admitted).toBeLessThanOrEqual(66);
    // Other callers, and questions of the same caller, have budgets of their own.
    expect(await instances[0]?.admit("ben", "writes")).toMatchObject({ wait: 0, remaining: 59 });
    expect(await instances[0]?.admit("anna", "reads")).toMatchObject({ wait: 0, remaining: 599 });
  });
}
