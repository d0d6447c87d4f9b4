import { expect, test } from "vitest";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { importSecret } from "../../../../shared/engine/inbox/import.ts";
import { requestUndo } from "../../../../shared/engine/inbox/undo.ts";
import { workFor } from "../../proofs/disturbed.ts";
import { adopted, readRecord, setPassword, tryRotation, work, writeByHand } from "../../steps.ts";
import { handedIn, open, type World } from "../../world.ts";

const by = { requestedBy: "person" };

function hand(world: World, text: string) {
  const input = { ...by, value: new Secret(text), mayApply: true };
  return importSecret(world.ports(open), world.target, input);
}

const passwordOf = (world: World) => {
  const text = world.vault.versions("app-db").at(-1)?.value.reveal() ?? "{}";
  return (JSON.parse(text) as { password: string }).password;
};

test("A rotation says that people must hand over a value, and changes nothing", async () => {
  const world = await adopted(handedIn);
  const { state, message } = await tryRotation(world);
  expect(state).toBe("failed");
  expect(message).toContain("import a new one (keyturn import app), or write it into app-db");
  expect(world.applied.size).toBe(0);
  expect(world.publishedWorks()).toBe(true);
});

test("A value that is due is missed until somebody hands it over", async () => {
  const world = await adopted(handedIn);
  await workFor(world, 90 * day + hour);
  expect((await readRecord(world)).health).toBe("failing");
  const missed = world.notifier.sent.filter(({ type }) => type === "rotation.failed");
  expect(missed[0]?.data["message"]).toContain("come from people");
  setPassword(world, "app", "a value of the vendor");
  await hand(world, "a value of the vendor");
  await workFor(world, hour);
  expect(passwordOf(world)).toBe("a value of the vendor");
  expect((await readRecord(world)).health).toBe("healthy");
});

test("An imported value is proven, published and announced; a wrong one is refused", async () => {
  const world = await adopted(handedIn);
  await hand(world, "a value that nobody issued");
  await work(world);
  expect(passwordOf(world)).toBe("first-secret-of-app");
  setPassword(world, "app", "a value of the vendor");
  await hand(world, "a value of the vendor");
  await work(world);
  expect(passwordOf(world)).toBe("a value of the vendor");
  expect(world.consumer.refreshes).toHaveLength(1);
});

test("A value that somebody writes into the vault is proven, adopted and announced", async () => {
  const world = await adopted(handedIn);
  setPassword(world, "app", "written in the portal");
  const { version } = await writeByHand(world, "app", "written in the portal");
  await work(world, open, true);
  const { published } = await readRecord(world);
  expect(published?.version).toBe(version);
  expect(world.consumer.refreshes.map(({ published: { version: told } }) => told)).toEqual([
    version,
  ]);
  const told = world.notifier.sent.filter(({ type }) => type === "credential.adopted");
  expect(told.at(-1)?.data).toMatchObject({ account: "app", secret: "app-db", version });
  expect(world.notifier.sent.some(({ type }) => type === "drift.found")).toBe(false);
});

test("A consumer that is away does not keep a value from being adopted", async () => {
  const world = await adopted(handedIn);
  setPassword(world, "app", "written in the portal");
  await writeByHand(world, "app", "written in the portal");
  world.setFault((effect) => (effect === "consumer.refresh" ? new Error("away") : undefined));
  await work(world, open, true);
  expect((await readRecord(world)).health).toBe("healthy");
  const failed = world.events.find(
    ({ detail }) => detail === "refresh consumers after an adoption",
  );
  expect(failed?.failure?.message).toBe("away");
});

test("An undo publishes the earlier value if it is still valid", async () => {
  const world = await adopted(handedIn);
  world.system.seconds.set("app", new Secret("a value of the vendor"));
  await hand(world, "a value of the vendor");
  await work(world);
  world.advance(minute);
  await requestUndo(world.ports(open), world.target, by);
  await work(world);
  expect(passwordOf(world)).toBe("first-secret-of-app");
});
