import { expect, test } from "vitest";
import { TargetUnavailableError, VaultUnavailableError } from "../../../../shared/core/errors.ts";
import { hour } from "../../../../shared/core/time.ts";
import { adopted, readRecord, rotate, setPassword, work, writeByHand } from "../../steps.ts";
import { type Gate, open, pairAdmin, pairProof, type World } from "../../world.ts";

const told = (world: World) => world.notifier.sent.map(({ type }) => type);

/** A pair whose account app_a was superseded by app_b, at the end of its grace. */
async function superseded(kind = pairAdmin): Promise<World> {
  const world = await adopted(kind);
  await rotate(world);
  world.advance(world.target.grace);
  return world;
}

/** Runs a worker whenever the target is due, for up to `hours`. */
async function workFor(world: World, hours: number, gate: Gate = open): Promise<void> {
  const end = Date.parse(world.now()) + hours * hour;
  for (let turn = 0; turn < 200 && Date.parse(world.now()) < end; turn++) {
    const wake = await work(world, gate);
    if (wake === undefined) return;
    world.advanceTo(wake < new Date(end).toISOString() ? wake : new Date(end).toISOString());
  }
}

for (const kind of [pairAdmin, pairProof]) {
  test(`The superseded account is published again, and not retired, when the published one stopped working: ${kind.name}`, async () => {
    const world = await superseded(kind);
    setPassword(world, "app_b", "the server recovered without its last commits");
    const kept: boolean[] = [];
    const gate: Gate = async (_effect, call) => {
      const result = await call();
      kept.push(world.isKept("app_a") || world.isKept("app_b"));
      return result;
    };
    await workFor(world, 2, gate);
    expect(kept).not.toContain(false);
    expect(world.publishedWorks()).toBe(true);
    expect(told(world)).toContain("drift.found");
    const [run] = await world.journal.runs("app", 1);
    expect(run).toMatchObject({ reason: "drift", requestedBy: "keyturn", state: "done" });
    expect((await readRecord(world)).health).toBe("healthy");
  });
}

test("Nothing is retired or published while the server cannot be reached, and the check is repeated", async () => {
  const world = await superseded();
  const versions = world.vault.versions("app-db").length;
  const down: Gate = (effect, call) =>
    effect === "target.verify" ? Promise.reject(new TargetUnavailableError("down")) : call();
  await workFor(world, 3, down);
  expect(world.isKept("app_a")).toBe(true);
  expect(world.vault.versions("app-db")).toHaveLength(versions);
  await workFor(world, 12);
  expect(world.isKept("app_a")).toBe(false);
  expect(told(world)).toContain("credential.retired");
});

test("Nothing is retired while the vault cannot be reached", async () => {
  const world = await superseded();
  const down: Gate = (effect, call) =>
    effect === "vault.read" ? Promise.reject(new VaultUnavailableError("down")) : call();
  await workFor(world, 3, down);
  expect(world.isKept("app_a")).toBe(true);
});

test.each(["deleted", "disabled"])(
  "Nothing is retired while the published secret is %s",
  async (how) => {
    const world = await superseded();
    const { published } = await readRecord(world);
    if (how === "deleted") world.vault.remove("app-db");
    else if (published) await world.vault.disable(published, new AbortController().signal);
    await workFor(world, 3);
    expect(world.system.passwords.get("app_a")?.reveal()).toBe("first-secret-of-app_a");
    expect((await readRecord(world)).lastFailure?.message).toContain(how);
  },
);

test("The other account is not retired while the published account is let in without a password", async () => {
  const world = await superseded();
  world.system.trusted.add("app_b");
  await workFor(world, 3);
  expect(world.isKept("app_a")).toBe(true);
});

test("A refused version that somebody has just written is reported and not replaced: its writer may be changing the account", async () => {
  const world = await superseded();
  await writeByHand(world, "app_b", "about to be set by hand");
  await work(world);
  expect(world.isKept("app_a")).toBe(true);
  expect(told(world)).toContain("drift.found");
});

test("A secret that works replaces one that somebody wrote by hand and the target refuses", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  await writeByHand(world, "app_b", "never worked");
  world.advance(world.target.grace);
  await workFor(world, 2);
  expect(world.publishedWorks()).toBe(true);
});

test("A target with manualOnly is reported and not rotated", async () => {
  const world = await superseded();
  const policy = { ...world.target.policy, manualOnly: true };
  const manual = { ...world, target: { ...world.target, policy } };
  setPassword(world, "app_b", "changed behind our back");
  setPassword(world, "app_a", "changed behind our back");
  world.applied.clear();
  await workFor(manual, 3);
  expect(world.applied.size).toBe(0);
  expect((await readRecord(world)).health).toBe("failing");
  expect(told(world)).toContain("drift.found");
});
