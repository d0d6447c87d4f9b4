import { expect, test } from "vitest";
import { VaultUnavailableError } from "../../../../shared/core/errors.ts";
import { day, hour, plus } from "../../../../shared/core/time.ts";
import { adopted, failing, readRecord, request, setPassword, work } from "../../steps.ts";
import { kinds, makeWorld, pairAdmin, singleAdmin, singleSelf } from "../../world.ts";

for (const kind of kinds) {
  test(`Adoption verifies the credential and changes nothing: ${kind.name}`, async () => {
    const world = await makeWorld(kind);
    const names = world.vault.names().map((name) => [name, world.vault.versions(name).length]);
    await work(world);
    const record = await readRecord(world);
    expect(record.health).toBe("healthy");
    expect(record.active).toBe(kind.accounts[0]);
    expect(world.applied.size).toBe(0);
    expect(world.vault.names().map((name) => [name, world.vault.versions(name).length])).toEqual(
      names,
    );
    expect(world.notifier.sent.map(({ type }) => type)).toEqual(["credential.adopted"]);
  });
}

test("The age of an adopted secret counts from the time when its version was written", async () => {
  const world = await adopted(singleAdmin);
  const written = world.vault.versions("app-db")[0]?.createdAt ?? "";
  expect((await readRecord(world)).nextDue).toBe(plus(written, 90 * day));
});

test("A target with a wrong published secret is adopted if an admin can fix it, and rotated only when it is due", async () => {
  const world = await makeWorld(singleAdmin);
  setPassword(world, "app", "changed behind our back");
  await work(world);
  expect(world.applied.size).toBe(0);
  const id = await request(world);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test("An account that changes itself is not adopted while its secret is refused, and the message says what to do", async () => {
  const world = await makeWorld(singleSelf);
  setPassword(world, "app", "changed behind our back");
  await work(world);
  const record = await readRecord(world);
  expect(record.health).toBe("blocked");
  expect(record.adoptedAt).toBeUndefined();
  expect(record.lastFailure?.message).toContain(
    "Store the current password of the account in the published secret",
  );
  setPassword(world, "app", "first-secret-of-app");
  world.advanceTo(record.nextDue ?? "");
  await work(world);
  expect((await readRecord(world)).health).toBe("healthy");
});

test("A request for a target that cannot be adopted ends as failed and is not repeated forever", async () => {
  const world = await makeWorld(singleSelf);
  setPassword(world, "app", "changed behind our back");
  const id = await request(world);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("failed");
  expect((await readRecord(world)).request).toBeUndefined();
});

test("A vault that is down delays the adoption, and nothing is changed", async () => {
  const world = await makeWorld(singleAdmin);
  await work(
    world,
    failing("vault.read", 1, () => new VaultUnavailableError("down")),
  );
  const record = await readRecord(world);
  expect(record.health).toBe("failing");
  expect(world.system.logIns).toBe(0);
  world.advanceTo(record.nextDue ?? "");
  await work(world);
  expect((await readRecord(world)).health).toBe("healthy");
});

test("The first rotation publishes a secret that does not exist yet", async () => {
  const world = await makeWorld(pairAdmin);
  const target = { ...world.target, publish: { ...world.target.publish, name: "brand-new" } };
  const { workOn } = await import("../../../../shared/engine/worker.ts");
  const { open } = await import("../../world.ts");
  await workOn(world.ports(open), target);
  const record = await readRecord(world);
  expect(record.health).toBe("healthy");
  expect(world.vault.versions("brand-new")).toHaveLength(1);
  expect((await world.journal.runs("app", 1))[0]).toMatchObject({ reason: "first" });
});

test("A pair whose published secret gets a new name does not change the account that the old secret holds", async () => {
  const world = await adopted(pairAdmin);
  const publish = { ...world.target.publish, name: "app-elsewhere" };
  const moved = { ...world, target: { ...world.target, publish } };
  await work(moved);
  expect(world.vault.versions("app-elsewhere")).toHaveLength(1);
  expect(await readRecord(world)).toMatchObject({
    active: "app_b",
    retirement: { account: "app_a", at: plus(world.now(), 24 * hour) },
  });
  expect(world.publishedWorks()).toBe(true);
  world.advance(24 * hour);
  await work(moved);
  expect(world.publishedWorks()).toBe(false);
});
