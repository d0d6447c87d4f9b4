import { expect, test } from "vitest";
import { Secret } from "../../shared/core/secret.ts";
import { adopted, recordOf, request, rotate, work } from "./steps.ts";
import { singleAdmin, singleSelf, type World } from "./world.ts";

/** The state and the failure of a rotation that was asked for and worked on once. */
async function tryRotation(world: World) {
  const id = await request(world);
  await work(world);
  const run = await world.journal.run("app", id);
  return { state: run?.state, message: run?.failure?.message ?? "" };
}

test("the pending version of a rotation that failed without changing anything is disabled", async () => {
  const world = await adopted(singleAdmin);
  world.system.admins.clear();
  await tryRotation(world);
  const versions = world.vault.versions("keyturn-pending-app");
  expect(versions.length).toBeGreaterThan(0);
  expect(versions.filter(({ enabled }) => enabled)).toEqual([]);
});

test("pending versions that crashes and failures left behind are disabled once a rotation has succeeded", async () => {
  const world = await adopted(singleAdmin);
  const value = new Secret("left over");
  const content = { value, contentType: "text/plain", tags: {} };
  await world.vault.write("keyturn-pending-app", content, new AbortController().signal);
  await rotate(world);
  const left = world.vault.versions("keyturn-pending-app").filter(({ enabled }) => enabled);
  expect(left).toEqual([]);
});

test("a secret that nears the number of versions which Key Vault can back up is reported", async () => {
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

test("a blocked account is told which version to enable when nothing was refused", async () => {
  const world = await adopted(singleSelf);
  const { published } = await recordOf(world);
  if (published) await world.vault.disable(published, new AbortController().signal);
  const { state, message } = await tryRotation(world);
  expect(state).toBe("blocked");
  expect(message).toContain(
    `Enable version ${published?.version ?? ""} of app-db in the vault main, and request a rotation.`,
  );
  expect(message).not.toContain("refuses");
});
