import { describe, expect, test } from "vitest";
import { KeyReusedError } from "../../../shared/core/errors.ts";
import { hour, minute } from "../../../shared/core/time.ts";
import { readLedger } from "../ledger/read-ledger.ts";
import {
  everywhere,
  makeBreachWorld,
  makeMembers,
  plainly,
  preview,
  readReport,
  readStates,
  startBreach,
} from "./breach-world.ts";

describe("A confirmation", () => {
  test("that is repeated changes nothing, and with other options is refused", async () => {
    const world = await makeBreachWorld(makeMembers(2));
    const keyturn = world.instance();
    const id = await preview(world);
    const first = await keyturn.confirmBreach(id, plainly);
    const again = await keyturn.confirmBreach(id, { ...plainly, by: "ben" });
    expect(again).toEqual(first);
    expect(again).toMatchObject({ state: "running", confirmed: { by: "ada" } });
    expect(await keyturn.confirmBreach(id, { ...plainly, force: true })).toMatchObject({
      refused: expect.stringContaining("confirmed with other values") as unknown,
    });
    await world.pass(minute);
    expect(await keyturn.confirmBreach(id, plainly)).toMatchObject({ state: "ended" });
  });

  test("of two persons at the same time starts one breach", async () => {
    const world = await makeBreachWorld(makeMembers(3));
    const id = await preview(world);
    const confirmed = await Promise.all(
      ["ada", "ben"].map((by) => world.instance().confirmBreach(id, { ...plainly, by })),
    );
    expect(confirmed[0]).toEqual(confirmed[1]);
    await world.pass(minute);
    expect(world.notifier.sent.filter(({ type }) => type === "breach.started")).toHaveLength(1);
  });

  test("is refused when the targets have changed since the preview, and says how", async () => {
    const world = await makeBreachWorld([
      ...makeMembers(3),
      { id: "other", tags: { env: "test" } },
    ]);
    const id = await preview(world);
    const [first, second, third, other] = world.targets;
    if (!first || !second || !third || !other) throw new Error("targets are missing");
    const edited = [{ ...first, consumers: ["new"] }, second, other, { ...third, id: "added" }];
    const refused = await world.instance(undefined, edited).confirmBreach(id, plainly);
    expect(refused).toEqual({
      refused: `The preview of breach ${id} is stale: no longer selected: ${third.id}; selected since: added; configured otherwise: ${first.id}. Make a new preview.`,
      isStale: true,
    });
    expect(await world.instance().breach(id)).toMatchObject({ state: "preview" });
    expect(await world.instance().confirmBreach(id, plainly)).toMatchObject({ state: "running" });
  });

  test("is refused when nothing matches the selection any more", async () => {
    const world = await makeBreachWorld([{ id: "a", tags: { env: "test" } }, { id: "b" }]);
    const id = await preview(world, { tags: [["env", "test"]] });
    const known = world.targets.filter((target) => target.id === "b");
    expect(await world.instance(undefined, known).confirmBreach(id, plainly)).toMatchObject({
      isStale: true,
    });
  });

  test("is refused an hour after the preview", async () => {
    const world = await makeBreachWorld(makeMembers(1));
    const id = await preview(world);
    world.advance(hour);
    expect(await world.instance().breach(id)).toMatchObject({ state: "expired" });
    expect(await world.instance().confirmBreach(id, plainly)).toMatchObject({
      refused: expect.stringContaining("has expired") as unknown,
    });
  });

  test("is not stale because a target was rotated or reported meanwhile", async () => {
    const world = await makeBreachWorld(makeMembers(2));
    const id = await preview(world);
    await world.instance().request("db-1-000", { reason: "operator", requestedBy: "ben" });
    await world.instance().expose("db-1-001", { by: "eve", kind: "exposure" });
    await world.pass(minute);
    expect(await world.instance().confirmBreach(id, plainly)).toMatchObject({ state: "running" });
  });
});

describe("A running breach", () => {
  test("begins nothing while it is paused, and goes on when it is resumed", async () => {
    const world = await makeBreachWorld(makeMembers(100));
    const keyturn = world.instance();
    const id = await startBreach(keyturn, everywhere);
    await world.settle(keyturn);
    await keyturn.pauseBreach(id, { by: "ben" });
    await world.pass(5 * minute);
    const paused = await keyturn.breach(id);
    expect(paused).toMatchObject({ state: "paused", counts: { begun: 0 }, paused: { by: "ben" } });
    expect(paused?.counts.rotated).toBeGreaterThan(0);
    expect(paused?.counts.rotated).toBeLessThan(50);
    const old = world.targets.filter(({ id: account }) => world.hasOldPassword(account));
    expect(old).toHaveLength(paused?.counts.waiting ?? -1);
    await keyturn.resumeBreach(id, { by: "ben" });
    await world.pass(minute);
    expect(await keyturn.breach(id)).toMatchObject({ state: "ended", counts: { rotated: 100 } });
  });

  test("that is cancelled finishes what has begun, and reports what is left", async () => {
    const world = await makeBreachWorld(makeMembers(100));
    const keyturn = world.instance();
    const id = await startBreach(keyturn, everywhere);
    await world.settle(keyturn);
    expect(await keyturn.cancelBreach(id, { by: "ben" })).toMatchObject({ state: "stopping" });
    await world.pass(minute);
    const states = await readStates(keyturn, id);
    expect(await keyturn.breach(id)).toMatchObject({ state: "ended", cancelled: { by: "ben" } });
    expect(Object.keys(states).sort()).toEqual(["left", "rotated"]);
    const changed = world.targets.filter((one) => !world.hasOldPassword(one.id));
    expect(states["rotated"]).toEqual(changed.map((one) => one.id));
    const [left = ""] = states["left"] ?? [];
    const report = await readReport(world, id);
    expect(report.get(left)?.outcome).toBe("The breach was cancelled by ben before this target");
    expect(await keyturn.resumeBreach(id, { by: "ben" })).toMatchObject({
      refused: expect.any(String) as unknown,
    });
  });

  test("refuses changes that its state excludes, and repeats the answer of those made already", async () => {
    const world = await makeBreachWorld(makeMembers(30));
    const keyturn = world.instance();
    const id = await preview(world);
    expect(await keyturn.pauseBreach(id, { by: "ben" })).toMatchObject({
      refused: expect.any(String) as unknown,
    });
    await keyturn.confirmBreach(id, plainly);
    const paused = await keyturn.pauseBreach(id, { by: "ben" });
    expect(await keyturn.pauseBreach(id, { by: "eve" })).toEqual(paused);
    const cancelled = await keyturn.cancelBreach(id, { by: "ben" });
    expect(await keyturn.cancelBreach(id, { by: "eve" })).toEqual(cancelled);
    expect(await keyturn.pauseBreach(id, { by: "ben" })).toMatchObject({
      refused: expect.any(String) as unknown,
    });
    expect(await keyturn.breach("01NOTHING")).toBeUndefined();
    expect(await keyturn.cancelBreach("01NOTHING", { by: "ben" })).toBeUndefined();
  });

  test("goes on after every message was lost, because the sweep finds it", async () => {
    const world = await makeBreachWorld(makeMembers(100));
    const keyturn = world.instance();
    const id = await startBreach(keyturn, everywhere);
    while (world.receive());
    await world.pass(10 * minute);
    expect(await keyturn.breach(id)).toMatchObject({ state: "ended", counts: { rotated: 100 } });
  });

  test("is not slowed down or doubled by repeated messages", async () => {
    const world = await makeBreachWorld(makeMembers(60));
    const keyturn = world.instance();
    const id = await startBreach(keyturn, everywhere);
    for (let copies = 0; copies < 5; copies++) {
      await world.firstQueue.send({ breachId: id, because: "again" });
    }
    await world.settle(keyturn);
    const waiting = world.firstQueue.messages.filter(({ message }) => message.breachId === id);
    expect(waiting).toHaveLength(1);
    await world.pass(minute);
    expect(await keyturn.breach(id)).toMatchObject({ state: "ended", counts: { rotated: 60 } });
  });

  test("joins a rotation that is under way, and makes its reason the breach", async () => {
    const world = await makeBreachWorld([{ id: "a", kind: "pair" }]);
    const keyturn = world.instance();
    const asked = await keyturn.request("a", { reason: "operator", requestedBy: "ben" });
    while (world.receive());
    const id = await startBreach(keyturn, everywhere);
    await world.pass(minute);
    const item = (await readReport(world, id)).get("a");
    expect(item).toMatchObject({ rotationId: asked?.rotationId, state: "rotated" });
    expect(world.hasOldPassword("a_a")).toBe(false);
    const run = await keyturn.rotation("a", asked?.rotationId ?? "");
    expect(run).toMatchObject({ cause: "exposure", requestedBy: "ada" });
  });

  test("leaves a target that was removed from the configuration, and rotates the others", async () => {
    const world = await makeBreachWorld(makeMembers(3));
    const id = await startBreach(world.instance(), everywhere);
    const known = world.targets.filter((target) => target.id !== "db-1-001");
    await world.pass(5 * minute, world.instance(undefined, known));
    const states = await readStates(world.instance(), id);
    expect(states).toEqual({ rotated: ["db-1-000", "db-1-002"], left: ["db-1-001"] });
    expect((await readReport(world, id)).get("db-1-001")?.outcome).toBe(
      "The target is no longer configured",
    );
  });
});

describe("A request with an idempotency key", () => {
  test("that is repeated gets its first answer, and another one with the key is refused", async () => {
    const world = await makeBreachWorld(makeMembers(30));
    const keyturn = world.instance();
    const wanted = { by: "ada", reason: "theft", selection: everywhere };
    const keys = ["1", "2"].map((id) => ({ id, request: "hash" }));
    const first = await keyturn.previewBreach(wanted, keys[0]);
    expect(await keyturn.previewBreach(wanted, keys[0])).toEqual(first);
    expect((await keyturn.previewBreach(wanted, keys[1])).id).not.toBe(first.id);
    const other = { id: "1", request: "another" };
    await expect(keyturn.previewBreach(wanted, other)).rejects.toThrow(KeyReusedError);
    await keyturn.confirmBreach(first.id, plainly);
    const paused = await keyturn.pauseBreach(first.id, { by: "ben" }, { id: "3", request: "p" });
    await keyturn.resumeBreach(first.id, { by: "ben" });
    const again = await keyturn.pauseBreach(first.id, { by: "ben" }, { id: "3", request: "p" });
    expect(again).toEqual(paused);
    expect(await keyturn.breach(first.id)).toMatchObject({ state: "running" });
  });
});

describe("The ledger", () => {
  test("has who previewed, started, paused, resumed and cancelled a breach, and how it ended", async () => {
    const world = await makeBreachWorld(makeMembers(40));
    const keyturn = world.instance();
    const id = await startBreach(keyturn, everywhere);
    await keyturn.confirmBreach(id, { ...plainly, by: "eve" });
    await world.settle(keyturn);
    await keyturn.pauseBreach(id, { by: "ben", reason: "lunch", ticket: "SEC-2" });
    await keyturn.pauseBreach(id, { by: "eve" });
    await keyturn.resumeBreach(id, { by: "ben" });
    await keyturn.cancelBreach(id, { by: "cleo" });
    await world.pass(minute);
    const entries = await readLedger(world.journal);
    const rotated = (await keyturn.breach(id))?.counts.rotated ?? 0;
    expect(entries.filter(({ action }) => action.startsWith("breach."))).toMatchObject([
      {
        ...{ action: "breach.preview", by: "ada", reason: "host compromised" },
        ...{ selection: "type memory", detail: `breach ${id} of 40 targets` },
      },
      { action: "breach.start", by: "ada", outcome: "accepted" },
      { action: "breach.pause", by: "ben", reason: "lunch", ticket: "SEC-2" },
      { action: "breach.resume", by: "ben" },
      { action: "breach.cancel", by: "cleo" },
      {
        ...{ action: "breach.end", by: "keyturn", outcome: "failed" },
        detail: `breach ${id} of 40 targets: ${rotated} rotated, 0 failed, 0 blocked, 0 unfinished, ${40 - rotated} left`,
      },
    ]);
    const requests = entries.filter(({ action }) => action === "rotation.request");
    expect(requests).toHaveLength(rotated);
    expect(requests[0]).toMatchObject({ by: "ada", cause: "exposure", reason: "host compromised" });
  });
});
