import { expect, test } from "vitest";
import { parsePayload } from "../../../../shared/core/payload/payload.ts";
import { minute } from "../../../../shared/core/time.ts";
import {
  adopted,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import { type Gate, pairSelf, singleAdmin, singleSelf, type World } from "../../world.ts";

async function workForAnHour(world: World): Promise<void> {
  for (let turn = 0; turn < 12; turn++) {
    await work(world);
    world.advance(5 * minute + 1);
  }
}

test("A secret that a person stored between the last check and the publication is found, although it was overwritten", async () => {
  const world = await adopted(singleSelf);
  const id = await request(world);
  let isDone = false;
  const gate: Gate = async (effect, call) => {
    const [pending] = world.vault.versions("keyturn-pending-app");
    if (effect === "vault.write" && pending && !isDone) {
      isDone = true;
      setPassword(world, "app", "set by hand");
      await writeByHand(world, "app", "set by hand");
    }
    return call();
  };
  await work(world, gate);
  expect(world.publishedWorks()).toBe(false);
  await workForAnHour(world);
  expect(world.publishedWorks()).toBe(true);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test.each([singleSelf, singleAdmin, pairSelf])(
  "The accounts of a server that was restored from an older backup work again: $name",
  async (kind) => {
    const world = await adopted(kind);
    const [account = ""] = kind.accounts;
    for (let count = 0; count < 2 * kind.accounts.length; count++) await rotate(world);
    const old = world.vault
      .versions("app-db")
      .map(({ value }) => parsePayload(value, kind.accounts))
      .find((found) => found?.account === account)?.secret;
    setPassword(world, account, old?.reveal() ?? "");
    for (const requestedBy of kind.accounts) {
      await request(world, { requestedBy });
      await workForAnHour(world);
    }
    expect(await readRecord(world)).toMatchObject({ health: "healthy" });
    expect(world.publishedWorks()).toBe(true);
    for (const one of kind.accounts) expect(world.isKept(one)).toBe(true);
  },
);

test("A rotation replaces a published secret that was restored by a check at once", async () => {
  const world = await adopted(singleAdmin);
  for (let count = 0; count < 3; count++) await rotate(world);
  const [first] = world.vault.versions("app-db");
  const old = first && parsePayload(first.value, ["app"])?.secret;
  setPassword(world, "app", old?.reveal() ?? "");
  const found = await world.journal.read("app");
  if (!found) throw new Error("the journal does not know the target");
  const due = { at: world.now(), why: "a test", failures: 0 };
  const record = { ...found.record, check: due };
  await world.journal.commit({ record, etag: found.etag, wakeAt: world.now() });
  await workForAnHour(world);
  expect(world.publishedWorks()).toBe(true);
  expect(await readRecord(world)).toMatchObject({ health: "healthy" });
  expect((await world.journal.runs("app", 1))[0]).toMatchObject({ reason: "drift", state: "done" });
});
