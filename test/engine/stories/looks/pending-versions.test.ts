import { expect, test } from "vitest";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { hour, minute } from "../../../../shared/core/time.ts";
import { JournalUnavailableError } from "../../../../shared/stores/journal.ts";
import { adopted, readRecord, request, rotate, work } from "../../steps.ts";
import { type Gate, pairAdmin, singleAdmin, singleSelf, type World } from "../../world.ts";

/** Requests a rotation, works on it once, and returns its state and failure. */
async function tryRotation(world: World) {
  const id = await request(world);
  await work(world);
  const run = await world.journal.run("app", id);
  return { state: run?.state, message: run?.failure?.message ?? "" };
}

test("The pending version of a rotation that failed without changing anything is disabled", async () => {
  const world = await adopted(singleAdmin);
  world.system.admins.clear();
  await tryRotation(world);
  const versions = world.vault.versions("keyturn-pending-app");
  expect(versions.length).toBeGreaterThan(0);
  expect(versions.filter(({ enabled }) => enabled)).toEqual([]);
});

test("A successful rotation disables pending versions that crashes and failures left behind", async () => {
  const world = await adopted(singleAdmin);
  const value = new Secret("left over");
  const content = { value, contentType: "text/plain", tags: {} };
  await world.vault.write("keyturn-pending-app", content, new AbortController().signal);
  world.advance(10 * minute);
  await rotate(world);
  const left = world.vault.versions("keyturn-pending-app").filter(({ enabled }) => enabled);
  expect(left).toEqual([]);
});

test("A secret that nears the number of versions which Key Vault can back up is reported", async () => {
  const world = await adopted(singleAdmin);
  const content = { value: new Secret("old"), contentType: "text/plain", tags: {} };
  for (let count = 0; count < 460; count++) {
    await world.vault.write("keyturn-pending-app", content, new AbortController().signal);
  }
  await rotate(world);
  const alarms = world.notifier.sent.filter(({ type }) => type === "alarm");
  expect(alarms).toMatchObject([{ data: { kind: "version-limit" } }]);
  await rotate(world);
  expect(world.notifier.sent.filter(({ type }) => type === "alarm")).toHaveLength(1);
});

test("The message about a blocked account names the version to enable when nothing was refused", async () => {
  const world = await adopted(singleSelf);
  const { published } = await readRecord(world);
  if (published) await world.vault.disable(published, new AbortController().signal);
  const { state, message } = await tryRotation(world);
  expect(state).toBe("blocked");
  expect(message).toContain(
    `Enable version ${published?.version ?? ""} of app-db in the vault main, and request a rotation.`,
  );
  expect(message).not.toContain("refuses");
});

/** Blocks every call after `effect` has happened. */
function diesAfter(effect: string): Gate {
  let isDead = false;
  return async (name, call) => {
    if (isDead) throw new JournalUnavailableError("it is dead");
    isDead = name === effect;
    return call();
  };
}

test.each([singleAdmin, pairAdmin])(
  "A rotation that has cleaned up its pending version creates no other secret: $name",
  async (kind) => {
    const world = await adopted(kind);
    const id = await request(world);
    await work(world, diesAfter("vault.disable")).catch(() => undefined);
    const published = world.vault.versions("app-db").at(-1);
    if (published) await world.vault.disable(published.ref, new AbortController().signal);
    for (let turn = 0; turn < 6; turn++) {
      world.advance(11 * minute);
      await work(world);
    }
    expect(world.applied.size).toBe(1);
    expect((await readRecord(world)).lastFailure?.message).toContain("app-db is disabled");
    if (published) world.vault.enable(published.ref);
    expect(world.publishedWorks()).toBe(true);
    expect((await world.journal.run("app", id))?.state).toBe("done");
  },
);

test("A pending version that a person disabled is not needed once its secret is published and works", async () => {
  const world = await adopted(pairAdmin);
  const id = await request(world);
  let published = false;
  await work(world, async (name, call) => {
    if (published && name !== "vault.disable") throw new JournalUnavailableError("it is dead");
    const result = await call();
    published ||= name === "vault.write" && world.vault.versions("app-db").length > 1;
    return result;
  }).catch(() => undefined);
  const [pending] = world.vault.versions("keyturn-pending-app");
  if (pending) await world.vault.disable(pending.ref, new AbortController().signal);
  world.advance(hour);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.applied.size).toBe(1);
  expect(world.publishedWorks()).toBe(true);
});

/** Rotates, and calls `interrupt` directly after the pending version was stored. Returns how often it was read before the change. */
async function countReadsOfPending(world: World, interrupt: () => void) {
  let [isStored, reads] = [false, 0];
  await request(world);
  await work(world, async (name, call) => {
    const wasSent = world.applied.size > 0;
    const result = await call();
    if (name === "vault.write" && !isStored) {
      isStored = true;
      interrupt();
    }
    if (name === "vault.read" && !wasSent && isPendingRead(result)) reads++;
    return result;
  });
  expect(world.publishedWorks()).toBe(true);
  return reads;
}

const isPendingRead = (result: unknown) =>
  (result as { ref?: { name: string } }).ref?.name === "keyturn-pending-app";

test("A pending version that was stored a moment ago is not read again where an admin can set the password once more", async () => {
  const world = await adopted(singleAdmin);
  expect(await countReadsOfPending(world, () => undefined)).toBe(0);
});

test("A pending version that was stored more than five seconds ago is read before it is sent", async () => {
  const world = await adopted(singleAdmin);
  expect(
    await countReadsOfPending(world, () => {
      world.advance(5_001);
    }),
  ).toBe(1);
});

test("An account that changes itself is never sent a pending version that was not read", async () => {
  const world = await adopted(singleSelf);
  expect(await countReadsOfPending(world, () => undefined)).toBe(1);
});
