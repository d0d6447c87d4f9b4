import { expect, test } from "vitest";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  VaultUnavailableError,
} from "../../../../shared/core/errors.ts";
import type { Target, VersionRef } from "../../../../shared/core/target.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import type { Unreadable, Vault } from "../../../../shared/vaults/vault.ts";
import { worldWith } from "../../policy-world.ts";
import {
  adopted,
  failing,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import {
  type Gate,
  makeWorld,
  open,
  pairAdmin,
  pairSelf,
  singleAdmin,
  singleSelf,
  type World,
} from "../../world.ts";

// Regression tests: each of these cases once lost a credential, stalled or misled an operator, or nearly did.

const told = (world: World) => world.notifier.sent.map(({ type }) => type);

/** The vault of the world under another name. Its old name no longer exists. */
function vaultNamed(name: string, world: World) {
  const main = world.ports(open).vault("main");
  const asMain = (ref: VersionRef) => ({ ...ref, vault: "main" });
  const renamed = <Stored extends { ref: VersionRef }>(stored: Stored | Unreadable) =>
    typeof stored === "string" ? stored : { ...stored, ref: { ...stored.ref, vault: name } };
  const vault: Vault | undefined = main && {
    readCurrent: async (secret, signal) => renamed(await main.readCurrent(secret, signal)),
    readVersion: async (ref, signal) => renamed(await main.readVersion(asMain(ref), signal)),
    listVersions: async (...args) =>
      (await main.listVersions(...args)).map((one) => ({
        ...one,
        ref: { ...one.ref, vault: name },
      })),
    write: async (...args) => ({ ...(await main.write(...args)), vault: name }),
    disable: (ref, signal) => main.disable(asMain(ref), signal),
  };
  return (asked: string) => (asked === name ? vault : undefined);
}

test("An account that somebody published again by hand is not retired", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  await writeByHand(world, "app_a", "first-secret-of-app_a");
  world.advance(25 * hour);
  await work(world);
  expect(world.publishedWorks()).toBe(true);
  expect((await readRecord(world)).active).toBe("app_a");
  expect(told(world)).not.toContain("credential.retired");
});

test("Nothing is retired while the published secret does not work", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  await writeByHand(world, "app_b", "never worked");
  world.advance(25 * hour);
  await work(world);
  expect(world.isKept("app_a")).toBe(true);
});

test("A change that takes effect late, and is doubted repeatedly, stays recorded as the account's secret", async () => {
  const world = await adopted(singleSelf);
  for (let round = 0; round < 4; round++) {
    await request(world);
    await work(world, (effect, call) =>
      effect === "target.apply" ? Promise.reject(new OutcomeUnknownError("line lost")) : call(),
    );
    const pending = (await readRecord(world)).rotation?.pending;
    world.advance(12 * minute);
    await work(world, (effect, call) =>
      effect === "target.apply" ? Promise.reject(new ChangeRefusedError("no")) : call(),
    );
    const late = world.vault
      .versions("keyturn-pending-app")
      .find(({ ref }) => ref.version === pending?.version);
    const parsed = JSON.parse(late?.value.reveal() ?? "{}") as { password?: string };
    if (round === 0 && parsed.password) setPassword(world, "app", parsed.password);
    world.advance(7 * hour);
  }
  const id = await rotate(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("A target whose changed secret cannot be published raises an alarm and is not healthy", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  const locked: Gate = (effect, call) =>
    effect === "vault.write" && world.applied.size > 0
      ? Promise.reject(new VaultUnavailableError("no right to write"))
      : call();
  for (let tries = 0; tries < 5; tries++) {
    await work(world, locked);
    world.advance(12 * minute);
  }
  expect((await readRecord(world)).health).toBe("failing");
  expect(told(world).filter((type) => type === "rotation.stalled")).toHaveLength(1);
  world.advance(7 * hour);
  await work(world);
  expect((await readRecord(world)).health).toBe("healthy");
  expect(world.publishedWorks()).toBe(true);
});

test("A vault that was renamed in the configuration does not block a rotation", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  const renamed: Target = {
    ...world.target,
    publish: { ...world.target.publish, vault: "prod" },
    authority: { as: "admin", secret: { vault: "prod", name: "app-admin" } },
  };
  const prod = { ...world.ports(open), vault: vaultNamed("prod", world) };
  await workOn(prod, renamed);
  expect((await readRecord(world)).health).toBe("healthy");
  await request(world);
  await workOn(prod, renamed);
  expect((await readRecord(world)).rotation).toBeUndefined();
  expect(world.publishedWorks()).toBe(true);
});

test("A target with a refused secret is adopted as failing, and an alarm is raised", async () => {
  const world = await makeWorld(singleAdmin);
  setPassword(world, "app", "changed behind our back");
  await work(world);
  expect((await readRecord(world)).health).toBe("failing");
  expect(told(world)).toContain("drift.found");
});

test("A pair that changes itself is not adopted while one of its accounts cannot log in", async () => {
  const world = await makeWorld(pairSelf);
  setPassword(world, "app_b", "nobody knows this");
  await work(world);
  const record = await readRecord(world);
  expect(record.adoptedAt).toBeUndefined();
  expect(record.lastFailure?.message).toContain("app_b");
});

test("A request unblocks a rotation even while its alarm is being sent", async () => {
  const world = await adopted(singleSelf);
  setPassword(world, "app", "set by a person");
  let asked = false;
  await request(world);
  await work(world, async (effect, call) => {
    const isBlocked = (await readRecord(world)).rotation?.phase === "blocked";
    if (effect === "notifier.send" && isBlocked && !asked) {
      asked = true;
      await writeByHand(world, "app", "set by a person");
      await request(world);
    }
    return call();
  });
  expect((await readRecord(world)).health).toBe("healthy");
  expect(world.publishedWorks()).toBe(true);
});

test("The grace of a request that joins a rotation under way is kept", async () => {
  const world = await adopted(pairAdmin);
  await request(world);
  let asked = false;
  await work(world, async (effect, call) => {
    if (
      effect === "vault.read" &&
      !asked &&
      (await readRecord(world)).rotation?.phase === "applying"
    ) {
      asked = true;
      await request(world, { reason: "exposure", grace: 0 });
    }
    return call();
  });
  await work(world);
  expect(asked).toBe(true);
  expect(world.isKept("app_a")).toBe(false);
});

test("A rotation keeps exposure as its reason when it fails and is retried", async () => {
  const world = await adopted(pairAdmin);
  await request(world, { reason: "exposure", grace: 0, requestedBy: "security" });
  await work(world, (effect, call) =>
    effect === "target.apply" ? Promise.reject(new ChangeRefusedError("no")) : call(),
  );
  world.advance(12 * minute);
  await work(world);
  await work(world);
  const [run] = await world.journal.runs("app", 1);
  expect(run).toMatchObject({ reason: "exposure", requestedBy: "security", state: "done" });
  expect(world.isKept("app_a")).toBe(false);
});

test("A freeze does not delay a rotation that lost the secret which the account may have", async () => {
  const freeze = { from: "2026-01-02T01:00:00Z", to: "2026-02-01", reason: "audit", lift: [] };
  const world = await worldWith({ every: day, freeze: [freeze] });
  await work(world);
  world.advance(day);
  let writes = 0;
  await work(world, (effect, call) => {
    if (effect === "vault.write" && ++writes >= 2) throw new Error("down");
    return call();
  });
  const { pending } = (await readRecord(world)).rotation ?? {};
  if (!pending) throw new Error("nothing was staged");
  await world.vault.disable(pending, new AbortController().signal);
  expect(world.publishedWorks()).toBe(false);
  world.advance(2 * hour);
  for (let tries = 0; tries < 5 && !world.publishedWorks(); tries++) {
    // Even its last failed try does not end it: another rotation would have to wait for the freeze.
    const down = failing("vault.write", tries < 3 ? 1 : 0, () => new VaultUnavailableError("down"));
    world.advanceTo((await work(world, down)) ?? "never");
  }
  expect(world.publishedWorks()).toBe(true);
  expect((await world.journal.runs("app", 9)).map(({ state }) => state)).toEqual(["done"]);
});
