import { expect, test } from "vitest";
import { appIdentity } from "../../../../conformance/identity.ts";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  VaultUnavailableError,
} from "../../../../shared/core/errors.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, hour, minute, second } from "../../../../shared/core/time.ts";
import { importSecret } from "../../../../shared/engine/inbox/import.ts";
import { requestUndo } from "../../../../shared/engine/inbox/undo.ts";
import { workFor } from "../../proofs/disturbed.ts";
import { adopted, failing, readRecord, request, rotate, work, writeByHand } from "../../steps.ts";
import { mintedBeside, mintedPair, mintedSilent, open, settleMs, type World } from "../../world.ts";

const published = (world: World) => world.vault.versions("app-db").at(-1);
const textOf = (world: World) => published(world)?.value.reveal() ?? "";
const keyOf = (world: World, account: string) => world.system.passwords.get(account)?.reveal();

test("The key that is not published is created anew, published, and the other one ends after the grace", async () => {
  const world = await adopted(mintedPair);
  const first = keyOf(world, "key_a");
  await rotate(world);
  expect(textOf(world)).toContain(keyOf(world, "key_b"));
  expect(JSON.parse(textOf(world))).toMatchObject({
    username: "key_b",
    connectionString: `Endpoint=memory;Key=${keyOf(world, "key_b") ?? ""}`,
  });
  expect(keyOf(world, "key_a")).toBe(first);
  await workFor(world, world.target.grace + hour);
  expect(keyOf(world, "key_a")).not.toBe(first);
  expect(world.publishedWorks()).toBe(true);
});

test("After a lost answer, Keyturn waits until the system shows what it has created, and proves that secret twice", async () => {
  const world = await adopted(mintedPair);
  const id = await request(world);
  await work(world, lostOnce(world, "target.mint"));
  expect((await readRecord(world)).slots.find((slot) => slot.account === "key_b")).toMatchObject({
    unsettled: { since: "2026-01-01T00:00:00.000Z" },
  });
  const created = keyOf(world, "key_b");
  expect(world.vault.versions("keyturn-pending-app")).toEqual([]);
  await workFor(world, hour);
  expect(keyOf(world, "key_b")).toBe(created);
  expect(textOf(world)).toContain(created);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  const proofs = world.events.filter(({ type }) => type === "attempt-failed");
  expect(proofs.map(({ failure }) => failure?.message).at(-1)).toContain("must log in again");
});

test("A system that shows nothing is given the settle time, and then creates another secret", async () => {
  const world = await adopted(mintedSilent);
  await request(world);
  await work(world, lostOnce(world, "target.mint"));
  const lost = keyOf(world, "key_b");
  await workFor(world, settleMs - minute);
  expect(published(world)?.tags["keyturn-rotation"]).toBeUndefined();
  expect(keyOf(world, "key_b")).toBe(lost);
  const [waiting] = world.events.filter(({ failure }) => failure?.message.includes("was lost"));
  expect(waiting?.failure?.message).toContain("Keyturn waits until 2026-01-01T00:15");
  await workFor(world, hour);
  expect(keyOf(world, "key_b")).not.toBe(lost);
  expect(world.publishedWorks()).toBe(true);
});

test("A refusal is certain, so the next attempt need not wait", async () => {
  const world = await adopted(mintedSilent);
  await request(world);
  await work(
    world,
    failing("target.mint", 1, () => new ChangeRefusedError("the role is missing")),
  );
  const { slots, lastFailure } = await readRecord(world);
  expect(lastFailure?.message).toBe("the role is missing");
  expect(slots.every(({ unsettled }) => unsettled === undefined)).toBe(true);
});

test("A secret that was stored and not written to the journal is found again", async () => {
  const world = await adopted(mintedSilent);
  await request(world);
  let dies = false;
  await work(world, async (effect, call) => {
    if (dies) throw new OutcomeUnknownError("the process is dead");
    const result = await call();
    dies = effect === "vault.write";
    return result;
  }).catch(() => undefined);
  const stored = world.vault.versions("keyturn-pending-app").at(-1)?.value.reveal();
  const created = keyOf(world, "key_b") ?? "";
  expect(stored).toContain(created);
  await workFor(world, 5 * minute);
  expect(textOf(world)).toContain(created);
  expect(world.system.mints).toBe(1);
});

test("A vault that stores nothing costs the key that was created, and no secret that consumers use", async () => {
  const world = await adopted(mintedPair);
  const first = textOf(world);
  world.setFault((effect) =>
    effect === "vault.write" ? new VaultUnavailableError("read-only") : undefined,
  );
  await rotate(world);
  expect(textOf(world)).toBe(first);
  expect(world.publishedWorks()).toBe(true);
  world.setFault(() => undefined);
  await workFor(world, day);
  expect(world.publishedWorks()).toBe(true);
  expect(textOf(world)).not.toBe(first);
});

test("A version that somebody publishes while the key is about to be created stops it", async () => {
  const world = await adopted(mintedPair);
  const key = keyOf(world, "key_b") ?? "";
  await request(world);
  let commits = 0;
  await work(world, async (effect, call) => {
    const result = await call();
    if (effect !== "journal.commit") return result;
    const { slots } = await readRecord(world);
    if (slots.some(({ unsettled }) => unsettled) && commits++ === 0) {
      await writeByHand(world, "key_b", key);
    }
    return result;
  });
  expect(keyOf(world, "key_b")).toBe(key);
  await workFor(world, day);
  expect(world.publishedWorks()).toBe(true);
});

test.each([
  ["as it is", (key: string) => key],
  ["in JSON", (key: string) => JSON.stringify({ username: "key_a", password: key })],
  ["in a connection string", (key: string) => `Endpoint=memory;Key=${key}`],
])("A key whose value is published is never created anew, %s", async (_, write) => {
  const world = await adopted(mintedPair);
  const key = keyOf(world, "key_b") ?? "";
  const rotator = world.ports(open).rotator("memory");
  const call = {
    ...{ options: {}, account: "key_b", using: appIdentity },
    publishedText: new Secret(write(key)),
  };
  const mark = { targetId: "app", rotationId: "1" };
  const never = new AbortController().signal;
  await expect(rotator.mint?.({ ...call, mark }, never)).rejects.toThrow(
    "key_b has the published secret",
  );
  await expect(rotator.retire?.(call, never)).rejects.toThrow("key_b has the published secret");
  expect(keyOf(world, "key_b")).toBe(key);
});

test("A key that is published under the name of the other one is replaced by one that works", async () => {
  const world = await adopted(mintedPair);
  await writeByHand(world, "key_a", keyOf(world, "key_b") ?? "");
  await workFor(world, 3 * day);
  expect(world.publishedWorks()).toBe(true);
});

test.each([
  ["the bare key", (key: string) => key],
  ["a connection string", (key: string) => `Endpoint=memory;Key=${key}`],
])("The owner of a version that names no account is found: %s", async (_, write) => {
  const world = await adopted(mintedPair);
  const [first, other] = [keyOf(world, "key_a"), keyOf(world, "key_b") ?? ""];
  const content = { value: new Secret(write(other)), contentType: "text/plain", tags: {} };
  await world.vault.write("app-db", content, new AbortController().signal);
  await rotate(world);
  await workFor(world, 2 * world.target.grace + hour);
  expect(keyOf(world, "key_b")).not.toBe(first);
  expect(textOf(world)).toContain(keyOf(world, "key_a"));
  expect(keyOf(world, "key_a")).not.toBe(first);
});

test("A retirement leaves a key alone that has another value by now", async () => {
  const world = await adopted(mintedPair);
  await rotate(world);
  world.system.passwords.set("key_a", new Secret("created by hand"));
  await workFor(world, world.target.grace + hour);
  expect(keyOf(world, "key_a")).toBe("created by hand");
  expect((await readRecord(world)).retirement).toBeUndefined();
});

test("An undo publishes the other key until its end has begun, and Keyturn never sets an imported one", async () => {
  const world = await adopted(mintedPair);
  const first = keyOf(world, "key_a") ?? "";
  await rotate(world);
  const by = { requestedBy: "person" };
  expect(await requestUndo(world.ports(open), world.target, by)).not.toHaveProperty("refused");
  await work(world);
  expect(textOf(world)).toContain(first);
  await workFor(world, day + hour);
  const value = new Secret("an-imported-key-of-somebody");
  const asked = await importSecret(world.ports(open), world.target, {
    ...by,
    value,
    mayApply: true,
  });
  const id = "rotationId" in asked ? asked.rotationId : "";
  await work(world);
  const failure = (await world.journal.run("app", id))?.failure;
  expect(failure?.message).toContain("Keyturn cannot set it");
  expect(world.publishedWorks()).toBe(true);
});

test("Of secrets side by side, the ids are stored, and everything but the published one ends after the grace", async () => {
  const world = await adopted(mintedBeside);
  await rotate(world);
  expect(published(world)?.tags).toMatchObject({ "keyturn-secret-id": "id-1" });
  await rotate(world);
  expect((await readRecord(world)).slots).toMatchObject([{ secretIds: ["id-2", "id-1"] }]);
  await workFor(world, world.target.grace + hour);
  expect((await readRecord(world)).slots).toMatchObject([{ secretIds: ["id-2"] }]);
  expect(world.system.minted.get("app")?.map(({ id }) => id)).toEqual(["id-2"]);
});

/** Lets the call take effect once, a second later, and loses its answer. */
function lostOnce(world: World, lost: string): typeof open {
  let isLost = false;
  return async (effect, call) => {
    if (effect !== lost || isLost) return call();
    isLost = true;
    world.advance(second);
    await call();
    throw new OutcomeUnknownError("the line was cut");
  };
}
