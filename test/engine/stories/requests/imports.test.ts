import { expect, test } from "vitest";
import {
  ChangeRefusedError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../../../shared/core/errors.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { pauseTarget } from "../../../../shared/engine/inbox/pause.ts";
import { JournalUnavailableError } from "../../../../shared/stores/journal.ts";
import { accepted, importInto, issued, passwordOf, publishedIn } from "../../given-steps.ts";
import { leaks } from "../../proofs/operations.ts";
import {
  adopted,
  failing,
  keyed,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
} from "../../steps.ts";
import { kinds, makeWorld, pairAdmin, singleAdmin, singleSelf, type World } from "../../world.ts";

const idle = (world: World) => world.kind.accounts.at(-1) ?? "";
const runOf = (world: World, id: string) => world.journal.run("app", id);
const versions = (world: World) => world.vault.versions("keyturn-pending-app");

test.each(kinds)(
  "An imported secret is set, proven, published and announced: $name",
  async (kind) => {
    const world = await adopted(kind);
    const id = await accepted(importInto(world));
    await work(world);
    expect(await runOf(world, id)).toMatchObject({ state: "done", reason: "import" });
    expect((await runOf(world, id))?.alreadySet).toBeUndefined();
    expect(passwordOf(world, idle(world))).toBe(issued);
    expect(publishedIn(world)).toEqual({ account: idle(world), password: issued });
    expect(world.consumer.refreshes.map(({ rotationId }) => rotationId)).toContain(id);
    expect(versions(world).filter(({ enabled }) => enabled)).toEqual([]);
    expect(await leaks(world, issued)).toEqual([]);
  },
);

test.each(kinds)(
  "A secret that the target has already is published and not set: $name",
  async (kind) => {
    const world = await adopted(kind);
    setPassword(world, idle(world), issued);
    const id = await accepted(importInto(world));
    await work(world);
    expect(await runOf(world, id)).toMatchObject({ state: "done", alreadySet: true });
    expect(world.applied.size).toBe(0);
    expect(publishedIn(world).password).toBe(issued);
    expect((await readRecord(world)).health).toBe("healthy");
  },
);

test("A secret that the target does not have is not set if the person says so", async () => {
  const world = await adopted(singleAdmin);
  const id = await accepted(importInto(world, { mayApply: false }));
  await work(world);
  expect(await runOf(world, id)).toMatchObject({
    state: "failed",
    failure: { message: expect.stringContaining("refuses the imported secret of app") as string },
  });
  expect(world.applied.size).toBe(0);
  expect(world.publishedWorks()).toBe(true);
  // A failed import says nothing about the published secret, which is proven again.
  expect((await readRecord(world)).health).toBe("healthy");
  expect((await readRecord(world)).again).toBeUndefined();
});

test("The published account of a pair is never changed by an import", async () => {
  const world = await adopted(pairAdmin);
  const refused = await accepted(importInto(world, { account: "app_a" }));
  await work(world);
  expect((await runOf(world, refused))?.failure?.message).toContain("consumers use this account");
  expect(world.applied.size).toBe(0);
  expect(world.publishedWorks()).toBe(true);
});

test("A secret that an administrator has set for the published account of a pair is published, and the retirement stays", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  setPassword(world, "app_b", issued);
  const id = await accepted(importInto(world, { account: "app_b" }));
  await work(world);
  expect(await runOf(world, id)).toMatchObject({ state: "done", alreadySet: true });
  expect(publishedIn(world)).toEqual({ account: "app_b", password: issued });
  expect((await readRecord(world)).retirement?.account).toBe("app_a");
  world.advance(day);
  await work(world);
  expect(world.isKept("app_a")).toBe(false);
  expect(world.publishedWorks()).toBe(true);
});

test("A secret that equals the present one is published again, and nothing is set", async () => {
  const world = await adopted(singleAdmin);
  const value = new Secret("first-secret-of-app");
  const id = await accepted(importInto(world, { value }));
  await work(world);
  expect(await runOf(world, id)).toMatchObject({ state: "done", alreadySet: true });
  expect(world.applied.size).toBe(0);
});

test("A target that refuses the imported secret keeps its present one", async () => {
  const world = await adopted(singleAdmin);
  const id = await accepted(importInto(world));
  const refuse = () => new ChangeRefusedError("the password is too short");
  await work(world, failing("target.apply", 1, refuse));
  expect(await runOf(world, id)).toMatchObject({ state: "failed" });
  expect(publishedIn(world).password).toBe("first-secret-of-app");
  expect(world.publishedWorks()).toBe(true);
  expect((await readRecord(world)).health).toBe("healthy");
  world.advance(day);
  await work(world);
  expect(world.applied.size).toBe(0);
});

test("An import does not fail while nobody knows whether the target has its secret", async () => {
  const world = await adopted(singleAdmin);
  const id = await accepted(importInto(world));
  const down = () => new TargetUnavailableError("the server is down");
  for (let turn = 0; turn < 8; turn++) {
    await work(world, failing("target.verify", 99, down));
    world.advance(7 * hour);
  }
  expect((await runOf(world, id))?.state).toBe("running");
  expect(world.notifier.sent.map(({ type }) => type)).toContain("rotation.stalled");
  expect(versions(world).at(-1)?.enabled).toBe(true);
  await work(world);
  expect((await runOf(world, id))?.state).toBe("done");
});

test("An import is refused while a rotation is open, queued or blocked, and before the adoption", async () => {
  const fresh = await makeWorld(singleAdmin);
  expect(await importInto(fresh)).toMatchObject({
    refused: expect.stringContaining("has not adopted") as string,
  });
  const world = await adopted(singleAdmin);
  const id = await request(world);
  expect(await importInto(world)).toMatchObject({
    refused: expect.stringContaining(`${id} of target app is queued`) as string,
  });
  const down = () => new TargetUnavailableError("the server is down");
  await work(world, failing("target.verify", 1, down));
  expect(await importInto(world)).toMatchObject({
    refused: expect.stringContaining(`${id} of target app is under way`) as string,
  });
  expect(versions(fresh).length).toBe(0);
  expect(versions(world).length).toBe(1);
});

test("An import is refused while a worker holds the target, and nothing is stored", async () => {
  const world = await adopted({ ...singleAdmin, verifyEvery: hour });
  world.advance(2 * hour);
  const during: object[] = [];
  await work(world, async (effect, call) => {
    if (effect === "target.verify") during.push(await importInto(world));
    return call();
  });
  expect(during).toMatchObject([
    { busy: expect.stringContaining("Nothing was recorded") as string },
  ]);
  expect(versions(world)).toEqual([]);
});

test("A worker whose claim is over loses it to an import, and does not forget the import", async () => {
  const world = await adopted({ ...singleAdmin, verifyEvery: hour });
  world.advance(2 * hour);
  let id = "";
  await work(world, async (effect, call) => {
    if (effect === "target.verify" && id === "") {
      world.advance(3 * minute);
      id = await accepted(importInto(world));
    }
    return call();
  });
  await work(world);
  expect((await runOf(world, id))?.state).toBe("done");
  expect(passwordOf(world, "app")).toBe(issued);
});

test("A request during an import gets a rotation of its own after it", async () => {
  const world = await adopted(pairAdmin);
  const id = await accepted(importInto(world));
  const down = () => new TargetUnavailableError("the server is down");
  await work(world, failing("target.verify", 99, down));
  const exposure = await request(world, { reason: "exposure", requestedBy: "security" });
  expect(exposure).not.toBe(id);
  world.advance(11 * minute);
  await work(world);
  expect((await runOf(world, id))?.state).toBe("done");
  expect((await runOf(world, exposure))?.state).toBe("done");
  expect(publishedIn(world).password).not.toBe(issued);
});

test("The same key and value lead to the same rotation, and another value is rejected", async () => {
  const world = await adopted(singleAdmin);
  const id = await accepted(importInto(world, { key: keyed("ticket-7") }));
  expect(await accepted(importInto(world, { key: keyed("ticket-7") }))).toBe(id);
  await work(world);
  // The pending version is disabled by now; the published one has the same secret.
  expect(await importInto(world, { key: keyed("ticket-7") })).toMatchObject({
    rotationId: id,
    joined: false,
  });
  const other = importInto(world, {
    key: keyed("ticket-7"),
    value: new Secret("another-value-4712"),
  });
  await expect(other).rejects.toThrow("different request");
  expect(JSON.stringify(await world.journal.request("app", "ticket-7"))).not.toContain(issued);
  expect(versions(world)).toHaveLength(1);
});

test("A pause and its force apply to an import as to a request", async () => {
  const world = await adopted(singleAdmin);
  const until = "2026-01-05T08:00:00.000Z";
  await pauseTarget(
    world.ports((_e, call) => call()),
    world.target,
    { reason: "x", by: "b", until },
  );
  const waits = await importInto(world);
  expect(waits).toMatchObject({ waiting: { until } });
  await work(world);
  expect(world.applied.size).toBe(0);
  world.advanceTo(until);
  await work(world);
  expect(passwordOf(world, "app")).toBe(issued);
});

test("When the vault or the journal is down, an import fails and nothing is half done", async () => {
  const world = await adopted(singleAdmin);
  const vault = failing("vault.write", 9, () => new VaultUnavailableError("down"));
  await expect(importInto(world, {}, vault)).rejects.toThrow(VaultUnavailableError);
  const journal = failing("journal.commit", 9, () => new JournalUnavailableError("down"));
  await expect(importInto(world, {}, journal)).rejects.toThrow(JournalUnavailableError);
  await work(world);
  expect((await readRecord(world)).given).toBeUndefined();
  expect(passwordOf(world, "app")).toBe("first-secret-of-app");
});

test("A version that an import stored without queueing a rotation is disabled later", async () => {
  const world = await adopted(singleAdmin);
  const journal = failing("journal.commit", 9, () => new JournalUnavailableError("down"));
  await expect(importInto(world, {}, journal)).rejects.toThrow(JournalUnavailableError);
  world.advance(hour);
  await rotate(world);
  expect(versions(world).filter(({ enabled }) => enabled)).toEqual([]);
});

test("Values that no password can be are rejected before anything is stored", async () => {
  const world = await adopted(singleAdmin);
  for (const value of [
    "",
    "short",
    "line\nbreak",
    "nul\0nul-nul",
    `x${"y".repeat(25_000)}`,
    "\ud800-half-a-pair",
  ]) {
    await expect(importInto(world, { value: new Secret(value) })).rejects.toThrow("`value` must");
  }
  await expect(importInto(world, { account: "someone" })).rejects.toThrow("must be an account of");
  expect(versions(world)).toEqual([]);
});

test("An account that changes itself gets an imported secret with its own", async () => {
  const world = await adopted(singleSelf);
  await accepted(importInto(world));
  await work(world);
  expect(publishedIn(world).password).toBe(issued);
  expect(world.publishedWorks()).toBe(true);
});

test("An imported version that somebody deletes before its rotation ends the rotation, and changes nothing", async () => {
  const world = await adopted(singleAdmin);
  const id = await accepted(importInto(world));
  world.vault.remove("keyturn-pending-app");
  await work(world);
  expect(await runOf(world, id)).toMatchObject({
    state: "failed",
    failure: { message: expect.stringContaining("Import it again") as string },
  });
  expect(world.applied.size).toBe(0);
  expect((await readRecord(world)).health).toBe("healthy");
});

test("A failed rotation is repeated after an import that fails too", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  await work(
    world,
    failing("target.apply", 1, () => new ChangeRefusedError("no")),
  );
  expect((await readRecord(world)).again).toBeDefined();
  await accepted(importInto(world));
  await work(
    world,
    failing("target.apply", 1, () => new ChangeRefusedError("no")),
  );
  expect((await readRecord(world)).again).toBeDefined();
  world.advance(7 * hour);
  await work(world);
  expect((await readRecord(world)).again).toBeUndefined();
  expect(world.applied.size).toBe(1);
});
