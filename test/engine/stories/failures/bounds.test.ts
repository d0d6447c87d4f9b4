import { expect, test } from "vitest";
import { minute } from "../../../../shared/core/time.ts";
import { adopted, readRecord, request, setPassword, work, writeByHand } from "../../steps.ts";
import { singleSelf } from "../../world.ts";

test("The record of a blocked target stays small under repeated requests, and the target can be fixed", async () => {
  const world = await adopted(singleSelf);
  setPassword(world, "app", "changed by hand, nobody knows");
  for (let round = 0; round < 400; round++) {
    await request(world, { requestedBy: "a timetable" });
    await work(world);
    world.advance(5 * minute);
  }
  const blocked = await readRecord(world);
  expect(blocked).toMatchObject({ health: "blocked", rotation: { phase: "blocked" } });
  expect(blocked.rotation?.phases).toHaveLength(20);
  expect(await world.journal.alarms(9)).toEqual([]);

  setPassword(world, "app", "fixed-0123456789");
  await writeByHand(world, "app", "fixed-0123456789");
  await request(world);
  await work(world);
  expect(await readRecord(world)).toMatchObject({ health: "healthy" });
  expect(world.publishedWorks()).toBe(true);
});
