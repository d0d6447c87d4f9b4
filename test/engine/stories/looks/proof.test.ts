import { expect, test } from "vitest";
import { TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { hour, minute, plus } from "../../../../shared/core/time.ts";
import { viewTarget } from "../../../../shared/core/views.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { seen } from "../../policy-world.ts";
import {
  adopted,
  failing,
  readRecord,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import { open, pairProof, type World } from "../../world.ts";

/** A pair whose account app_a was superseded, after its grace. Sessions may still use it. */
async function superseded(...inUse: string[]): Promise<World> {
  const world = await adopted(pairProof);
  for (const account of inUse) world.system.sessions.add(account);
  await rotate(world);
  world.advance(24 * hour);
  return world;
}

/** Runs a worker at the time of the next check. */
async function look(world: World): Promise<void> {
  world.advanceTo((await readRecord(world)).retirement?.at ?? "never");
  await work(world);
}

const alarms = (world: World) => world.notifier.sent.filter(({ type }) => type === "alarm");
const looks = (world: World) =>
  world.events
    .map(({ type }) => type)
    .filter((type) => ["still-in-use", "seen-unused", "retired"].includes(type));

test("A superseded secret is retired once two separate checks have found no session", async () => {
  const world = await superseded();
  expect(await work(world)).toBe(plus(world.now(), 10 * minute));
  expect(world.isKept("app_a")).toBe(true);
  world.advance(10 * minute - 1);
  await work(world);
  expect(world.isKept("app_a")).toBe(true);
  world.advance(1);
  await work(world);
  expect(world.isKept("app_a")).toBe(false);
  expect(world.publishedWorks()).toBe(true);
  expect(looks(world)).toEqual(["seen-unused", "retired"]);
});

test("Keyturn does not check for sessions before the grace is over", async () => {
  const world = await adopted(pairProof);
  await rotate(world);
  world.advance(23 * hour);
  await work(world);
  expect(looks(world)).toEqual([]);
});

test("A superseded secret that is in use is kept, and checked again and again", async () => {
  const world = await superseded("app_a");
  for (let count = 0; count < 20; count++) await look(world);
  expect(world.isKept("app_a")).toBe(true);
  world.system.sessions.delete("app_a");
  await look(world);
  expect(world.isKept("app_a")).toBe(true);
  await look(world);
  expect(world.isKept("app_a")).toBe(false);
});

test("A session that comes back between two checks restarts the proof", async () => {
  const world = await superseded();
  await look(world);
  world.system.sessions.add("app_a");
  await look(world);
  world.system.sessions.clear();
  await look(world);
  expect(world.isKept("app_a")).toBe(true);
  await look(world);
  expect(looks(world)).toEqual(["seen-unused", "still-in-use", "seen-unused", "retired"]);
});

test("A superseded secret in use raises one alarm, with the account and the rotation that superseded it", async () => {
  const world = await superseded("app_a");
  await look(world);
  await look(world);
  expect(alarms(world)).toEqual([]);
  for (let count = 0; count < 5; count++) await look(world);
  const { retirement } = await readRecord(world);
  expect(alarms(world)).toMatchObject([
    { data: { kind: "still-in-use", account: "app_a", rotationId: retirement?.rotationId } },
  ]);
});

test("Sessions of the published account do not prevent a retirement", async () => {
  const world = await superseded("app_b");
  await look(world);
  await look(world);
  expect(world.isKept("app_a")).toBe(false);
  expect(world.publishedWorks()).toBe(true);
});

test.each([
  ["an operator's grace", { grace: hour }, hour],
  ["an exposure", { reason: "exposure" as const }, 24 * hour],
])("Sessions of the account do not delay %s", async (_what, wanted, grace) => {
  const world = await adopted(pairProof);
  world.system.sessions.add("app_a");
  await rotate(world, wanted);
  world.advance(grace);
  await work(world);
  expect(world.isKept("app_a")).toBe(false);
  expect(looks(world)).toEqual(["retired"]);
});

test("The retirement of a secret that somebody has seen waits for no further proof", async () => {
  const world = await superseded("app_a");
  await look(world);
  const [older] = world.vault.versions("app-db");
  await seen(world, { kind: "breach", version: older?.ref.version ?? "" });
  await look(world);
  expect(world.isKept("app_a")).toBe(false);
});

test("A failed check does not count, and is reported like a failed retirement", async () => {
  const world = await superseded();
  await look(world);
  const down = failing("target.look", 3, () => new TargetUnavailableError("down"));
  for (let tries = 0; tries < 3; tries++) {
    world.advanceTo((await readRecord(world)).retirement?.at ?? "");
    await work(world, down);
  }
  expect(world.isKept("app_a")).toBe(true);
  expect(alarms(world)).toMatchObject([{ data: { kind: "retirement" } }]);
  await look(world);
  expect(world.isKept("app_a")).toBe(false);
});

test("A rotator that cannot list the sessions of an account retires nothing", async () => {
  const world = await superseded();
  const ports = world.ports(open);
  const blind = { ...ports.rotator("memory") };
  expect(Reflect.deleteProperty(blind, "hasSessions")).toBe(true);
  for (let tries = 0; tries < 2; tries++) {
    world.advanceTo((await readRecord(world)).retirement?.at ?? "");
    await workOn({ ...ports, rotator: () => blind }, world.target);
  }
  expect(world.isKept("app_a")).toBe(true);
  expect((await readRecord(world)).lastFailure).toMatchObject({ kind: "config" });
});

test("The next rotation changes the account even if sessions use it", async () => {
  const world = await superseded("app_a");
  await look(world);
  await rotate(world);
  expect(world.isKept("app_a")).toBe(true);
  expect(world.system.passwords.get("app_a")?.reveal()).not.toBe("first-secret-of-app_a");
  expect((await readRecord(world)).retirement?.account).toBe("app_b");
});

test("The view of a target shows what its retirement waits for", async () => {
  const world = await superseded("app_a");
  await look(world);
  const { retirement } = viewTarget(world.target, await readRecord(world));
  expect(retirement).toEqual({
    account: "app_a",
    at: plus(world.now(), 10 * minute),
    waitsFor: "the account to become unused; checks that found open sessions so far: 1",
  });
});

test("An exposure that a change by hand answered long ago is not a reason to retire without proof", async () => {
  const world = await adopted(pairProof);
  await seen(world);
  world.advance(hour);
  setPassword(world, "app_a", "by-hand");
  await writeByHand(world, "app_a", "by-hand");
  await work(world, open, true);
  world.system.sessions.add("app_a");
  await rotate(world);
  world.advance(24 * hour);
  await work(world);
  expect(world.isKept("app_a")).toBe(true);
  expect(looks(world)).toEqual(["still-in-use"]);
});
