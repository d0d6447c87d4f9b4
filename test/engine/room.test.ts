import { describe, expect, test } from "vitest";
import { TargetUnavailableError, VaultUnavailableError } from "../../shared/core/errors.ts";
import { between, hour, minute, plus, second, toInstant } from "../../shared/core/time.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { paced, request } from "./paced.ts";
import { adopted, readRecord, request as ask } from "./steps.ts";
import { type Gate, kinds, pairAdmin, singleAdmin, type World } from "./world.ts";

const creates = (world: World) =>
  ["app-db", "keyturn-pending-app"].flatMap((name) => world.vault.versions(name)).length;

describe("Room for the versions of a rotation", () => {
  test.each(kinds)(
    "A worker waits a while for room before it changes anything: $name",
    async (kind) => {
      const world = await adopted(kind);
      const id = await request(world);
      const { ports, pace, pauses } = paced(world);
      await pace.take("main", 100, minute);
      await workOn(ports, world.target);
      expect(pauses).toHaveLength(1);
      expect(pauses[0]).toBeGreaterThan(3 * second);
      expect((await world.journal.run("app", id))?.state).toBe("done");
    },
  );

  test("A rotation without room is postponed, with one write and no version", async () => {
    const world = await adopted(singleAdmin);
    const id = await request(world);
    let commits = 0;
    const { ports, pace, pauses } = paced(world, (effect, call) => {
      if (effect === "journal.commit") commits++;
      return call();
    });
    await pace.take("main", 600, minute);
    const before = creates(world);
    const wake = (await workOn({ ...ports, notifiers: [] }, world.target)) ?? "";
    expect([commits, pauses, creates(world)]).toEqual([1, [], before]);
    expect(between(world.now(), wake)).toBeGreaterThan(7 * second);
    expect((await readRecord(world)).request?.heldBy).toMatch(
      /^vault main accepts no more new versions until .* limit of the vault is used up/,
    );
    world.advanceTo(wake);
    await workOn(ports, world.target);
    expect((await world.journal.run("app", id))?.state).toBe("done");
  });

  test("An urgent rotation waits for room as long as necessary", async () => {
    const world = await adopted(singleAdmin);
    const id = await ask(world, { reason: "operator" });
    const { ports, pace, pauses } = paced(world);
    await pace.take("main", 600, minute);
    expect(await pace.take("main", 2, 7 * second)).toBeGreaterThan(20 * second);
    await workOn(ports, world.target);
    expect(pauses[0]).toBeGreaterThan(20 * second);
    expect((await world.journal.run("app", id))?.state).toBe("done");
  });

  test("A rotation that continues after a failure needs room too, and the wait uses up no try", async () => {
    const world = await adopted(singleAdmin);
    const id = await request(world);
    const down: Gate = (effect, call) =>
      effect === "target.examine" ? Promise.reject(new VaultUnavailableError("down")) : call();
    await workOn(world.ports(down), world.target);
    const { failures, nextAttemptAt = "" } = (await readRecord(world)).rotation ?? {};
    world.advanceTo(nextAttemptAt);
    const { ports, pace } = paced(world);
    await pace.take("main", 600, minute);
    await workOn(ports, world.target);
    const { rotation: waiting, outbox } = await readRecord(world);
    expect([waiting?.failures, world.applied.size]).toEqual([failures, 0]);
    expect(waiting?.heldBy).toMatch(
      /^vault main accepts no more new versions until .* limit of the vault is used up/,
    );
    expect(outbox.map(({ type }) => type)).not.toContain("rotation.stalled");
    world.advanceTo(waiting?.nextAttemptAt ?? "");
    await workOn(ports, world.target);
    expect((await world.journal.run("app", id))?.state).toBe("done");
  });

  test("A rotation whose account already has the secret does not wait for room", async () => {
    const world = await adopted(singleAdmin);
    const id = await request(world);
    const dies: Gate = (effect, call) =>
      effect === "target.verify" && world.applied.size > 0 ? new Promise(() => undefined) : call();
    void workOn(world.ports(dies), world.target);
    await expect.poll(() => world.applied.size).toBe(1);
    world.advance(3 * minute);
    const { ports, pace, pauses } = paced(world);
    await pace.take("main", 600, minute);
    await workOn(ports, world.target);
    expect(pauses).toEqual([]);
    expect((await world.journal.run("app", id))?.state).toBe("done");
  });

  test("A rotation whose pending secret is stored in another vault needs room in both vaults", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    const { ports, pace } = paced(world);
    const target = { ...world.target, pendingVault: "waiting" };
    await pace.take("waiting", 600, minute);
    await workOn(ports, target);
    expect((await readRecord(world)).request?.heldBy).toMatch(
      /^vault waiting accepts no more new versions until .* limit of the vault is used up/,
    );
    // No room was taken in the other vault.
    expect(await pace.take("main", 2, minute)).toBe(0);
  });
});

describe("Between a change and its publication", () => {
  /** The vault refuses the published version for this long. */
  function closedFor(world: World, milliseconds: number, retryAfter?: number): Gate {
    let from = "";
    return (effect, call) => {
      if (effect !== "vault.write" || world.applied.size === 0) return call();
      from ||= world.now();
      const isOpen = between(from, world.now()) >= milliseconds;
      const options = retryAfter === undefined ? {} : { retryAfter };
      return isOpen ? call() : Promise.reject(new VaultUnavailableError("busy", options));
    };
  }

  test.each([singleAdmin, pairAdmin])(
    "The worker tries again within a second, then every few seconds, without a new message: $name",
    async (kind) => {
      const world = await adopted(kind);
      const id = await request(world);
      const { ports, pauses } = paced(world, closedFor(world, 20 * second));
      const started = world.now();
      await workOn(ports, world.target);
      expect(pauses[0]).toBeLessThanOrEqual(second);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(3 * second);
      expect(new Set(pauses).size).toBeGreaterThan(3);
      expect(between(started, world.now())).toBeLessThan(24 * second);
      expect((await world.journal.run("app", id))?.state).toBe("done");
    },
  );

  test("A server that is down when the published password is checked gets two more tries at once, and others within seconds", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    let downUntil = "";
    const away: Gate = (effect, call) => {
      if (effect === "vault.write" && world.applied.size > 0) {
        downUntil ||= plus(world.now(), 20 * second);
      }
      const isDown = effect === "target.verify" && world.now() < downUntil;
      return isDown ? Promise.reject(new TargetUnavailableError("the line is cut")) : call();
    };
    const { ports, pauses } = paced(world, away);
    const started = world.now();
    let wake = (await workOn(ports, world.target)) ?? "";
    expect(pauses).toHaveLength(2);
    while ((await readRecord(world)).rotation !== undefined) {
      world.advanceTo(wake);
      wake = (await workOn(ports, world.target)) ?? "";
    }
    expect(between(started, world.now())).toBeLessThan(30 * second);
  });

  test("The worker waits until the vault's retry time, and so do all other changes", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    const { ports, pace, pauses } = paced(world, closedFor(world, 7 * second, 8 * second));
    const other = { waits: 0 };
    const pause: Ports["pause"] = async (milliseconds) => {
      other.waits = await pace.take("main", 2, minute);
      await ports.pause(milliseconds);
    };
    await workOn({ ...ports, pause }, world.target);
    expect(pauses).toHaveLength(1);
    expect(pauses[0]).toBeGreaterThanOrEqual(8 * second);
    expect(other.waits).toBeGreaterThan(7 * second);
    expect(world.publishedWorks()).toBe(true);
  });

  test("The worker releases the target after a minute, and tries follow within seconds, then half a minute, then minutes", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    const { ports, pauses } = paced(world, closedFor(world, 12 * hour));
    const waits: number[] = [];
    for (let tries = 0; tries < 70; tries++) {
      const wake = (await workOn(ports, world.target)) ?? "";
      waits.push(between(world.now(), wake));
      world.advanceTo(wake);
    }
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThanOrEqual(minute);
    expect(Math.max(...waits.slice(0, 19))).toBeLessThanOrEqual(5 * second);
    expect(Math.max(...waits.slice(0, 59))).toBeLessThanOrEqual(minute / 2);
    expect(Math.max(...waits)).toBeLessThanOrEqual(5 * minute);
    world.advanceTo(toInstant(new Date(Date.parse(world.now()) + 13 * hour)));
    await workOn(ports, world.target);
    expect(world.publishedWorks()).toBe(true);
  });
});
