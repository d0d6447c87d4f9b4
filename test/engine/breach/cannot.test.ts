import { describe, expect, test } from "vitest";
import { day, hour, minute, second } from "../../../shared/core/time.ts";
import { JournalUnavailableError } from "../../../shared/stores/journal.ts";
import type { Gate } from "../world.ts";
import {
  type BreachWorld,
  everywhere,
  makeBreachWorld,
  makeMembers,
  plainly,
  readReport,
  readStates,
  startBreach,
} from "./breach-world.ts";

/** Takes a turn that begins targets, and ends before their rotations are requested. */
async function beginWithoutRequests(world: BreachWorld): Promise<void> {
  const down: Gate = async (effect, call) => {
    if (effect === "journal.commit") throw new JournalUnavailableError("down");
    return call();
  };
  await world.pass(second, world.instance(down));
}

describe("A target that cannot be rotated", () => {
  test("on a server that does not answer delays no other server, and stays open in the report", async () => {
    const world = await makeBreachWorld([...makeMembers(60, "dead"), ...makeMembers(60, "db-2")]);
    world.dead.add("dead");
    const keyturn = world.instance();
    const id = await startBreach(keyturn, everywhere);
    await world.pass(minute);
    expect(await keyturn.breach(id)).toMatchObject({ state: "running", counts: { rotated: 60 } });
    await world.pass(20 * minute);
    expect(await keyturn.breach(id)).toMatchObject({
      state: "ended",
      counts: { rotated: 60, unfinished: 60 },
    });
    expect((await readReport(world, id)).get("dead-000")).toMatchObject({
      state: "unfinished",
      failure: { kind: "target-unavailable", message: "the server does not answer" },
    });
    world.dead.delete("dead");
    await world.pass(hour);
    expect(world.hasOldPassword("dead-000")).toBe(false);
  });

  test("because the server refuses the change is reported as failed, with the next try", async () => {
    const world = await makeBreachWorld(makeMembers(3));
    world.refused.add("db-1-001");
    const id = await startBreach(world.instance(), everywhere);
    await world.pass(minute);
    expect(await readStates(world.instance(), id)).toEqual({
      rotated: ["db-1-000", "db-1-002"],
      failed: ["db-1-001"],
    });
    const item = (await readReport(world, id)).get("db-1-001");
    expect(item?.failure).toMatchObject({
      kind: "change-refused",
      message: "admin may not change db-1-001",
    });
    expect(item?.nextTry).toBeDefined();
    expect(world.hasOldPassword("db-1-001")).toBe(true);
  });

  test("because it is paused waits, and the report says until when", async () => {
    const world = await makeBreachWorld(makeMembers(2));
    const keyturn = world.instance();
    await keyturn.pause("db-1-000", { reason: "migration", by: "ben", until: world.later(day) });
    const preview = await keyturn.previewBreach({
      by: "ada",
      reason: "host compromised",
      selection: everywhere,
    });
    expect(preview.summary.obstacles).toEqual({ paused: 1 });
    expect((await readReport(world, preview.id)).get("db-1-000")?.obstacles).toEqual([
      {
        kind: "paused",
        why: expect.stringMatching(/Confirm with force to rotate it now$/) as string,
      },
    ]);
    await keyturn.confirmBreach(preview.id, plainly);
    await world.pass(minute);
    expect(await keyturn.breach(preview.id)).toMatchObject({ state: "ended" });
    const item = (await readReport(world, preview.id)).get("db-1-000");
    expect(item).toMatchObject({ state: "unfinished", nextTry: expect.any(String) as unknown });
    expect(item?.outcome).toContain("migration");
    expect(world.hasOldPassword("db-1-000")).toBe(true);
    await world.pass(day);
    expect(world.hasOldPassword("db-1-000")).toBe(false);
  });

  test("because it is paused is rotated if the breach is confirmed with force", async () => {
    const world = await makeBreachWorld(makeMembers(2));
    const keyturn = world.instance();
    await keyturn.pause("db-1-000", { reason: "migration", by: "ben", until: world.later(day) });
    const id = await startBreach(keyturn, everywhere, { force: true });
    await world.pass(minute);
    expect(await keyturn.breach(id)).toMatchObject({ state: "ended", counts: { rotated: 2 } });
  });

  test.each([
    [["breach"], false, "rotated"],
    [[], false, "unfinished"],
    [[], true, "rotated"],
  ] as const)(
    "in a freeze that lifts %j, with liftFreezes %s, is %s",
    async (lift, liftFreezes, state) => {
      const world = await makeBreachWorld(makeMembers(1));
      const keyturn = world.instance();
      const until = world.later(day);
      await keyturn.freeze({ by: "ben", reason: "sale", until, lift, selection: {} });
      const id = await startBreach(keyturn, everywhere, { liftFreezes });
      await world.pass(minute);
      expect(await readStates(keyturn, id)).toEqual({ [state]: ["db-1-000"] });
    },
  );

  test("in a freeze longer than the breach waits is reported with the way out, which works", async () => {
    const world = await makeBreachWorld(makeMembers(1));
    const keyturn = world.instance();
    const until = world.later(day);
    await keyturn.freeze({ by: "ben", reason: "sale", until, lift: [], selection: {} });
    const id = await startBreach(keyturn, everywhere);
    await world.pass(minute);
    const item = (await readReport(world, id)).get("db-1-000");
    const rotation = item?.rotationId ?? "";
    expect(item).toMatchObject({ state: "unfinished", nextTry: until });
    expect(item?.outcome).toContain(
      `To rotate the target now, confirm another breach of it with liftFreezes. Rotation ${rotation} goes on. See its outcome with GET /api/targets/db-1-000/rotations/${rotation}`,
    );
    const again = await startBreach(keyturn, everywhere, { liftFreezes: true });
    await world.pass(minute);
    const rotated = (await readReport(world, again)).get("db-1-000");
    expect(rotated).toMatchObject({ state: "rotated", rotationId: rotation });
  });

  test("in a freeze that ends in time is counted as waiting, and the time left is unknown", async () => {
    const world = await makeBreachWorld(makeMembers(2));
    const keyturn = world.instance();
    const until = world.later(3 * minute);
    await keyturn.freeze({ by: "ben", reason: "sale", until, lift: [], selection: {} });
    const id = await startBreach(keyturn, everywhere);
    await world.pass(minute);
    const waiting = await keyturn.breach(id);
    expect(waiting).toMatchObject({
      ...{ state: "running", counts: { begun: 2 } },
      waits: { targets: 2, why: expect.stringContaining("sale") as string },
    });
    expect(waiting).not.toHaveProperty("remainingSeconds");
    await world.pass(4 * minute);
    const ended = await keyturn.breach(id);
    expect(ended).toMatchObject({ state: "ended", counts: { rotated: 2 }, remainingSeconds: 0 });
    expect(ended).not.toHaveProperty("waits");
  });

  test("because nobody knows its password is reported as blocked", async () => {
    const world = await makeBreachWorld([{ id: "own", kind: "pair-self" }, { id: "b" }]);
    for (const account of ["own_a", "own_b"]) {
      const { system } = world;
      const known = system.passwords.get("admin");
      if (known) system.passwords.set(account, known);
    }
    const keyturn = world.instance();
    const id = await startBreach(keyturn, everywhere, { giveUpAfter: 3 * hour });
    await world.pass(hour);
    expect(await readStates(keyturn, id)).toEqual({ rotated: ["b"], blocked: ["own"] });
    expect((await readReport(world, id)).get("own")?.failure?.kind).toBe("no-live-credential");
  });

  test("is waited for until its next try comes too late", async () => {
    const world = await makeBreachWorld([...makeMembers(2), { id: "slow", host: "dead" }]);
    world.dead.add("dead");
    const id = await startBreach(world.instance(), everywhere, { giveUpAfter: 15 * minute });
    await world.pass(9 * minute);
    expect(await world.instance().breach(id)).toMatchObject({ state: "running" });
    await world.pass(3 * minute);
    expect(await world.instance().breach(id)).toMatchObject({ state: "ended" });
    const item = (await readReport(world, id)).get("slow");
    expect(item).toMatchObject({ state: "unfinished", nextTry: expect.any(String) as unknown });
  });

  test("because an instance with an older configuration took the next turn is rotated by another one", async () => {
    const world = await makeBreachWorld(makeMembers(3));
    const id = await startBreach(world.instance(), everywhere);
    await beginWithoutRequests(world);
    expect(await readStates(world.instance(), id)).toEqual({
      begun: ["db-1-000", "db-1-001", "db-1-002"],
    });
    const known = world.targets.filter((target) => target.id !== "db-1-001");
    await world.pass(minute, world.instance(undefined, known));
    expect(await readStates(world.instance(), id)).toEqual({
      rotated: ["db-1-000", "db-1-002"],
      begun: ["db-1-001"],
    });
    await world.pass(30 * second);
    expect(await world.instance().breach(id)).toMatchObject({
      ...{ state: "ended", counts: { rotated: 3 } },
    });
  });

  test("because it was removed after it had begun is left two minutes after the start", async () => {
    const world = await makeBreachWorld(makeMembers(2));
    const id = await startBreach(world.instance(), everywhere);
    await beginWithoutRequests(world);
    const known = world.targets.filter((target) => target.id !== "db-1-001");
    await world.pass(4 * minute, world.instance(undefined, known));
    expect(await readStates(world.instance(), id)).toEqual({
      rotated: ["db-1-000"],
      left: ["db-1-001"],
    });
  });
});
