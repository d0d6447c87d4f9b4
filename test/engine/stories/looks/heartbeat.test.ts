import { expect, test } from "vitest";
import { TargetUnavailableError, VaultUnavailableError } from "../../../../shared/core/errors.ts";
import { findWakeTime } from "../../../../shared/core/lifecycle/decide.ts";
import { maxGuesses } from "../../../../shared/core/looks/guesses.ts";
import { between, day, hour, minute, second } from "../../../../shared/core/time.ts";
import { verifyPublished } from "../../../../shared/engine/work/verify.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { work as workIn, worldWith, yearEnd } from "../../policy-world.ts";
import { workFor } from "../../proofs/disturbed.ts";
import {
  adopted,
  failing,
  readRecord,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import {
  type Gate,
  type Kind,
  kinds,
  open,
  pairAdmin,
  pairProof,
  pairSelf,
  singleAdmin,
  singleIdentity,
  singleSelf,
  type World,
} from "../../world.ts";

/** Counts the log-ins of the account that the target refuses. */
function countRefused(): { readonly gate: Gate; readonly refused: () => number } {
  let refused = 0;
  const gate: Gate = async (effect, call) => {
    const result = await call();
    if (effect === "target.verify" && result === "rejected") refused++;
    return result;
  };
  return { gate, refused: () => refused };
}

const by = (world: World, type: string) => world.events.filter((one) => one.type === type);
const told = (world: World, type: string) => world.notifier.sent.filter((one) => one.type === type);

async function beat(world: World, gate: Gate = open): Promise<void> {
  world.advanceTo((await readRecord(world)).heartbeat?.at ?? "");
  await work(world, gate);
}

test.each(kinds)(
  "Each healthy target is checked once a day, and nothing is changed: $name",
  async (kind) => {
    const world = await adopted(kind);
    await rotate(world);
    await workFor(world, 3 * day);
    const before = await readRecord(world);
    const versions = world.vault.versions("app-db").length;
    const beats = by(world, "checked-published").length;
    await workFor(world, 10 * day);
    expect(by(world, "checked-published").length - beats).toBe(10);
    const after = await readRecord(world);
    expect(after).toMatchObject({ nextDue: before.nextDue, lastSuccessAt: before.lastSuccessAt });
    expect(between(after.verifiedAt ?? "", world.now())).toBeLessThanOrEqual(day);
    expect(world.vault.versions("app-db")).toHaveLength(versions);
    expect(world.applied.size).toBe(1);
  },
);

test.each<Kind>([singleAdmin, singleIdentity, pairAdmin, pairProof])(
  "An account that is changed by hand right after a rotation is found and cured within a day: $name",
  async (kind) => {
    const world = await adopted(kind);
    await rotate(world);
    const { active = "" } = await readRecord(world);
    setPassword(world, active, "by hand");
    await workFor(world, day + minute);
    expect(world.publishedWorks()).toBe(true);
    expect(await readRecord(world)).toMatchObject({ health: "healthy" });
    expect(told(world, "drift.found")).toHaveLength(1);
  },
);

test.each<Kind>([pairAdmin, pairSelf])(
  "A pair whose published account was changed by hand publishes the other account again: $name",
  async (kind) => {
    const world = await adopted(kind);
    await rotate(world);
    const { policy } = world.target;
    Object.assign(world.target, { policy: { ...policy, manualOnly: true, every: undefined } });
    setPassword(world, "app_b", "by hand");
    const { gate, refused } = countRefused();
    await beat(world, gate);
    expect(await readRecord(world)).toMatchObject({ active: "app_a" });
    expect(world.publishedWorks()).toBe(true);
    await workFor(world, day, gate);
    expect(await readRecord(world)).toMatchObject({ health: "healthy" });
    expect(refused()).toBe(1);
    expect(told(world, "drift.found")).toHaveLength(1);
  },
);

test.each<Kind>([singleAdmin, singleSelf])(
  "After one refusal no heartbeat guesses again until somebody acts: $name",
  async (kind) => {
    const world = await adopted(kind);
    const { policy } = world.target;
    Object.assign(world.target, { policy: { ...policy, manualOnly: true, every: undefined } });
    await work(world);
    setPassword(world, "app", "by hand");
    const { gate, refused } = countRefused();
    await workFor(world, 10 * day, gate);
    expect(refused()).toBe(1);
    expect(told(world, "drift.found")).toHaveLength(1);
    expect(await readRecord(world)).toMatchObject({ health: "failing" });
    setPassword(world, "app", "first-secret-of-app");
    const { answer } = await verifyPublished(world.ports(open), world.target);
    expect(answer).toMatchObject({ result: "accepted" });
    const { health, heartbeat } = await readRecord(world);
    expect([health, heartbeat?.failures]).toEqual(["healthy", 0]);
  },
);

test.each([
  ["server", "target.verify", () => new TargetUnavailableError("the server is down")],
  ["vault", "vault.read", () => new VaultUnavailableError("the vault is down")],
] as const)(
  "A %s that is down for days stops no heartbeat for ever, and nothing else changes",
  async (_what, effect, make) => {
    const world = await adopted(singleAdmin);
    const before = await readRecord(world);
    world.setFault((one) => (one === effect ? make() : undefined));
    await workFor(world, 3 * day);
    const down = await readRecord(world);
    expect(down).toMatchObject({ health: "healthy", verifiedAt: before.verifiedAt });
    expect([down.check, down.lastFailure]).toEqual([undefined, undefined]);
    const tries = by(world, "attempt-failed");
    expect(tries.length).toBeGreaterThan(8);
    expect(tries.length).toBeLessThan(20);
    expect(tries[0]).toMatchObject({ detail: "heartbeat", severity: "warning" });
    world.setFault(() => undefined);
    await workFor(world, day);
    const { verifiedAt = "", heartbeat } = await readRecord(world);
    expect(between(verifiedAt, world.now())).toBeLessThan(day);
    expect(heartbeat?.failures).toBe(0);
  },
);

test("A published secret that was disabled is reported, and works again once it is enabled", async () => {
  const world = await adopted(singleAdmin);
  const [newest] = world.vault.versions("app-db").slice(-1);
  if (!newest) throw new Error("nothing is published");
  await world.vault.disable(newest.ref, new AbortController().signal);
  await beat(world);
  expect(await readRecord(world)).toMatchObject({ health: "failing", check: { failures: 1 } });
  expect(told(world, "alarm")).toHaveLength(1);
  world.vault.enable(newest.ref);
  await workFor(world, hour);
  expect(await readRecord(world)).toMatchObject({ health: "healthy" });
});

test("A version that somebody else stored is adopted by the heartbeat", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  world.advance(hour);
  const { version } = await writeByHand(world, "app_a", "first-secret-of-app_a");
  await beat(world);
  expect(await readRecord(world)).toMatchObject({ active: "app_a", published: { version } });
});

test("Freezes, windows and manual policies stop no heartbeat, and it starts no rotation", async () => {
  const freeze = [{ ...yearEnd, to: "2026-03-01", lift: [] }];
  const world = await worldWith({ freeze, every: hour, days: ["sun"] });
  await workIn(world);
  await workFor(world, 3 * day);
  expect(by(world, "checked-published").length).toBeGreaterThanOrEqual(3);
  expect(world.applied.size).toBe(0);
});

test("A rotation counts as a heartbeat", async () => {
  const world = await adopted(singleAdmin);
  for (let days = 0; days < 6; days++) {
    await workFor(world, 8 * hour);
    await rotate(world);
  }
  expect(by(world, "checked-published")).toEqual([]);
  const { verifiedAt, heartbeat } = await readRecord(world);
  expect(verifiedAt).toBe(world.now());
  expect(findWakeTime(await readRecord(world), world.now())).toBe(heartbeat?.at);
});

test("Another policy moves the next heartbeat, and none removes it", async () => {
  const world = await worldWith({ verifyEvery: 10 * day });
  await workIn(world);
  const { heartbeat: slow } = await readRecord(world);
  expect(between(world.now(), slow?.at ?? "")).toBeGreaterThanOrEqual(5 * day);
  Object.assign(world.target, { policy: { ...world.target.policy, verifyEvery: hour } });
  await workIn(world);
  const { heartbeat: quick } = await readRecord(world);
  expect(between(world.now(), quick?.at ?? "")).toBeLessThanOrEqual(hour);
  Object.assign(world.target, { policy: { ...world.target.policy, verifyEvery: "none" } });
  await workIn(world);
  expect((await readRecord(world)).heartbeat).toBeUndefined();
});

test.each<Kind>([singleAdmin, singleSelf, pairAdmin, pairSelf])(
  "Heartbeats, requests to verify and rotations together make no more wrong guesses than the budget: $name",
  async (kind) => {
    const world = await adopted(kind);
    await rotate(world);
    world.advanceTo((await readRecord(world)).heartbeat?.at ?? "");
    for (const account of kind.accounts) setPassword(world, account, "by hand");
    const refused: { readonly account: string; readonly at: string }[] = [];
    const ports = world.ports(open);
    const rotator = ports.rotator("memory");
    const counted = {
      ...ports,
      rotator: () => ({
        ...rotator,
        async verify(...[check, signal]: Parameters<typeof rotator.verify>) {
          const verdict = await rotator.verify(check, signal);
          const { account } = check.credential;
          if (verdict === "rejected") refused.push({ account, at: world.now() });
          return verdict;
        },
      }),
    };
    for (let turns = 0; turns < 60; turns++) {
      await Promise.all([
        workOn(counted, world.target),
        verifyPublished(counted, world.target),
        verifyPublished(counted, world.target),
      ]);
      world.advance(20 * second);
    }
    expect(refused.length).toBeGreaterThan(0);
    for (const { account, at } of refused) {
      const within = refused.filter(
        (one) => one.account === account && one.at >= at && between(at, one.at) < 10 * minute,
      );
      expect(within.length).toBeLessThanOrEqual(maxGuesses);
    }
  },
);

test("A heartbeat that is due with a rotation leaves the proof to the rotation", async () => {
  const world = await worldWith({ every: 2 * day });
  await workIn(world);
  const { heartbeat } = await readRecord(world);
  world.advance(2 * day);
  await workIn(world);
  const record = await readRecord(world);
  expect(record.heartbeat?.at).not.toBe(heartbeat?.at);
  expect(by(world, "checked-published")).toEqual([]);
  expect(world.applied.size).toBe(1);
});

test("While a server is down a heartbeat can be lost, and later ones are not", async () => {
  const world = await adopted(singleAdmin);
  await beat(
    world,
    failing("target.verify", 1, () => new TargetUnavailableError("down")),
  );
  const { heartbeat } = await readRecord(world);
  expect(heartbeat?.failures).toBe(1);
  await beat(world);
  expect((await readRecord(world)).verifiedAt).toBe(world.now());
});
