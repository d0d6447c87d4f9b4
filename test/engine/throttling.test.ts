import { describe, expect, test } from "vitest";
import { VaultUnavailableError } from "../../shared/core/errors.ts";
import { between, hour, minute, plus, second } from "../../shared/core/time.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { paced, request } from "./paced.ts";
import { adopted, readRecord } from "./steps.ts";
import { type Gate, singleAdmin, type World } from "./world.ts";

describe("A vault that throttles before anything has been changed", () => {
  const throttling: Gate = (effect, call) =>
    effect === "vault.write"
      ? Promise.reject(new VaultUnavailableError("throttled", { retryAfter: 7 * second }))
      : call();

  test("A throttling vault postpones the rotation to its retry time, without using up tries", async () => {
    const world = await adopted(singleAdmin);
    const id = await request(world);
    const wake = (await workOn(paced(world, throttling).ports, world.target)) ?? "";
    expect(between(world.now(), wake)).toBe(7 * second);
    const { rotation } = await readRecord(world);
    expect(rotation).toMatchObject({ failures: 0, heldBy: "throttled" });
    world.advanceTo(wake);
    await workOn(paced(world).ports, world.target);
    expect((await world.journal.run("app", id))?.state).toBe("done");
  });

  /** Works until the wake-up that is due after this many milliseconds, and returns the pauses between the wake-ups. */
  async function workUntil(world: World, ports: Ports, milliseconds: number): Promise<number[]> {
    const end = plus(world.now(), milliseconds);
    const waits: number[] = [];
    for (let wake = world.now(); wake < end;) {
      world.advanceTo(wake);
      wake = (await workOn(ports, world.target)) ?? end;
      waits.push(between(world.now(), wake));
    }
    return waits;
  }

  const alarms = (world: World) =>
    world.notifier.sent.filter(({ type }) => type === "alarm").map(({ data }) => data);

  test("Throttles after a long wait for room use up no try, and nobody is alarmed", async () => {
    const world = await adopted(singleAdmin);
    const id = await request(world);
    const down: Gate = (effect, call) =>
      effect === "vault.write" ? Promise.reject(new VaultUnavailableError("down")) : call();
    await workOn(paced(world, down).ports, world.target);
    world.advanceTo((await readRecord(world)).rotation?.nextAttemptAt ?? "");
    // The room of the vault is used up for an hour, for example because a fleet was due at once.
    const { ports: full, pace } = paced(world);
    for (let times = 0; times < 240; times++) {
      await pace.take("main", 400, minute);
      await workOn(full, world.target);
      world.advance(15 * second);
    }
    world.advanceTo((await readRecord(world)).rotation?.nextAttemptAt ?? "");
    await workUntil(world, paced(world, throttling).ports, minute);
    expect((await readRecord(world)).rotation).toMatchObject({ failures: 1, heldBy: "throttled" });
    expect(alarms(world)).toEqual([]);
    await workUntil(world, paced(world).ports, minute);
    expect((await world.journal.run("app", id))?.state).toBe("done");
  });

  test("A vault that throttles for hours uses up no try, is called less and less often, and raises one alarm", async () => {
    const world = await adopted(singleAdmin);
    const id = await request(world);
    const { ports } = paced(world, throttling);
    const since = world.now();
    await workUntil(world, ports, 10 * minute);
    expect(alarms(world)).toEqual([]);
    const waits = await workUntil(world, ports, 6 * hour);
    expect(Math.max(...waits)).toBe(5 * minute);
    expect(waits.length).toBeLessThan(100);
    expect(alarms(world)).toEqual([
      { kind: "vault-throttled", message: expect.stringContaining(since) as string },
    ]);
    const { rotation, health, lastFailure } = await readRecord(world);
    expect({ health, kind: lastFailure?.kind }).toEqual({
      ...{ health: "failing", kind: "vault-unavailable" },
    });
    expect(rotation).toMatchObject({ id, failures: 0, throttledSince: since });
    await workUntil(world, paced(world).ports, 10 * minute);
    expect((await world.journal.run("app", id))?.state).toBe("done");
    const { health: healed, rotation: none } = await readRecord(world);
    expect([healed, none]).toEqual(["healthy", undefined]);
  });

  test("Another answer of the vault ends the time for which it has throttled", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    await workUntil(world, paced(world, throttling).ports, 9 * minute);
    const down: Gate = (effect, call) =>
      effect === "vault.write" ? Promise.reject(new VaultUnavailableError("down")) : call();
    world.advanceTo((await readRecord(world)).rotation?.nextAttemptAt ?? "");
    await workOn(paced(world, down).ports, world.target);
    const { rotation } = await readRecord(world);
    expect(rotation).toMatchObject({ failures: 1 });
    expect(rotation?.throttledSince).toBeUndefined();
    await workUntil(world, paced(world, throttling).ports, 9 * minute);
    expect(alarms(world)).toEqual([]);
  });
});

describe("A vault that throttles after the new version is published", () => {
  test("The pending version is disabled as soon as the vault accepts it again", async () => {
    const world = await adopted(singleAdmin);
    const id = await request(world);
    let isThrottling = true;
    const gate: Gate = (effect, call) =>
      effect === "vault.disable" && isThrottling
        ? Promise.reject(new VaultUnavailableError("throttled", { retryAfter: 7 * second }))
        : call();
    const { ports } = paced(world, gate);
    for (let times = 0; times < 5; times++) {
      world.advanceTo((await workOn(ports, world.target)) ?? "");
    }
    expect((await readRecord(world)).rotation).toMatchObject({ phase: "cleaning", failures: 0 });
    isThrottling = false;
    await workOn(ports, world.target);
    const run = await world.journal.run("app", id);
    expect(run?.state).toBe("done");
    expect((await readRecord(world)).lastFailure).toBeUndefined();
  });

  test("It is left enabled if the vault throttles for long", async () => {
    const world = await adopted(singleAdmin);
    const id = await request(world);
    const { ports } = paced(world, (effect, call) =>
      effect === "vault.disable"
        ? Promise.reject(new VaultUnavailableError("throttled", { retryAfter: 7 * second }))
        : call(),
    );
    for (let times = 0; times < 100 && !(await world.journal.run("app", id))?.endedAt; times++) {
      world.advanceTo((await workOn(ports, world.target)) ?? "");
    }
    expect((await world.journal.run("app", id))?.state).toBe("done");
    expect((await readRecord(world)).lastFailure?.message).toContain("throttled");
  });
});
