import { expect, test } from "vitest";
import { TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { findSlot } from "../../../../shared/core/record/slots.ts";
import { day } from "../../../../shared/core/time.ts";
import { accepted, undo } from "../../given-steps.ts";
import { seen, withPolicy } from "../../policy-world.ts";
import { adopted, failing, readRecord, rotate, work } from "../../steps.ts";
import { pairAdmin } from "../../world.ts";

test("An undo that waits keeps no exposed account alive, before and after it has begun", async () => {
  for (const hasBegun of [false, true]) {
    const world = await adopted(pairAdmin);
    await rotate(world);
    const exposed = findSlot(await readRecord(world), "app_a").current?.version ?? "";
    const frozen = withPolicy(world, {
      freeze: [{ from: "2026-01-01", to: "2026-01-05", reason: "year end", lift: [] }],
    });
    const id = await accepted(undo(hasBegun ? world : frozen));
    if (hasBegun) {
      await work(
        world,
        failing("target.verify", 99, () => new TargetUnavailableError("down")),
      );
    }
    const answer = await seen(frozen, { version: exposed });
    expect(answer.why).toContain("retires the account at 2026-01-02T00:00:00.000Z");
    frozen.advance(day);
    await work(frozen);
    expect(frozen.isKept("app_a")).toBe(false);
    frozen.advance(5 * day);
    await work(frozen);
    expect((await world.journal.run("app", id))?.state).toBe("failed");
    expect(frozen.publishedWorks()).toBe(true);
  }
});
