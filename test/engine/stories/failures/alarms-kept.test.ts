import { expect, test } from "vitest";
import { day, minute } from "../../../../shared/core/time.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { adopted, rotate, setPassword } from "../../steps.ts";
import { open, pairAdmin } from "../../world.ts";

test.each([true, false])(
  "An alarm about a target can be read later, with and without notifiers: %s",
  async (hasNotifiers) => {
    const world = await adopted(pairAdmin);
    await rotate(world);
    setPassword(world, "admin", "changed by a person");
    world.advance(day);
    const ports = world.ports(open);
    for (let turn = 0; turn < 8; turn++) {
      await workOn({ ...ports, ...(hasNotifiers ? {} : { notifiers: [] }) }, world.target);
      world.advance(20 * minute);
    }
    const kept = await world.journal.alarms(10);
    expect(kept.map(({ kind }) => kind)).toEqual(["retirement"]);
    expect(kept[0]).toMatchObject({ targetId: "app" });
  },
);
