import { expect, test } from "vitest";
import { adopted, readRecord, rotate, setPassword, work, writeByHand } from "../../steps.ts";
import { open, pairAdmin, singleAdmin, singleSelf } from "../../world.ts";

test("A version that somebody else wrote is adopted when it logs in", async () => {
  const world = await adopted(singleAdmin);
  setPassword(world, "app", "set by hand");
  const ref = await writeByHand(world, "app", "set by hand");
  await work(world, open, true);
  expect((await readRecord(world)).published).toEqual(ref);
  expect(world.notifier.sent.map(({ type }) => type)).toContain("drift.found");
});

test("A version that somebody else wrote and that does not log in is reported, and replaced by the next rotation", async () => {
  const world = await adopted(singleAdmin);
  await writeByHand(world, "app", "never worked");
  await work(world, open, true);
  const drift = world.notifier.sent.find(({ type }) => type === "drift.found");
  expect(drift?.data["detail"]).toBe("the target refuses this version");
  await rotate(world);
  expect(world.publishedWorks()).toBe(true);
});

test("The account of a pair that somebody else published becomes the published one", async () => {
  const world = await adopted(pairAdmin);
  await writeByHand(world, "app_b", "first-secret-of-app_b");
  const id = await rotate(world);
  expect((await world.journal.run("app", id))?.account).toBe("app_a");
  expect(world.publishedWorks()).toBe(true);
});

test("An account can change itself again with a secret that was changed and stored by hand", async () => {
  const world = await adopted(singleSelf);
  setPassword(world, "app", "set by hand");
  await writeByHand(world, "app", "set by hand");
  const id = await rotate(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("The second of two equal versions, written after a lost reply, is not drift", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  const newest = world.vault.versions("app-db").at(-1);
  if (newest) {
    const { value, contentType, tags } = newest;
    await world.vault.write("app-db", { value, contentType, tags }, new AbortController().signal);
  }
  await work(world, open, true);
  await rotate(world);
  expect(world.notifier.sent.map(({ type }) => type)).not.toContain("drift.found");
});

test("A version written between publishing and checking is reported and replaced", async () => {
  const world = await adopted(singleAdmin);
  let wrote = false;
  const { request } = await import("../../steps.ts");
  const id = await request(world);
  await work(world, async (effect, call) => {
    const result = await call();
    const published = world.vault.versions("app-db").length > 1;
    if (effect === "vault.write" && published && !wrote) {
      wrote = true;
      await writeByHand(world, "app", "written in between");
    }
    return result;
  });
  world.advance(12 * 60_000);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
  expect(world.notifier.sent.map(({ type }) => type)).toContain("drift.found");
});
