import { expect, test } from "vitest";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { expose } from "../../../../shared/engine/inbox/expose.ts";
import { workFor } from "../../proofs/disturbed.ts";
import { adopted, readRecord, request, rotate, work, writeByHand } from "../../steps.ts";
import { mintedBeside, mintedPair, open, type World } from "../../world.ts";

const textOf = (world: World) => world.vault.versions("app-db").at(-1)?.value.reveal() ?? "";

/** A system whose servers take a day until all of them have a new secret. */
const slow = { ...mintedPair, propagation: day };

test("A key that somebody replaces right after it was published is replaced by the other one at once", async () => {
  const world = await adopted(slow);
  await request(world);
  let isReplaced = false;
  await workFor(world, 10 * minute, async (effect, call) => {
    const result = await call();
    if (effect === "vault.write" && textOf(world).includes("key_b") && !isReplaced) {
      isReplaced = true;
      world.system.passwords.set("key_b", new Secret("created by hand"));
    }
    return result;
  });
  expect(isReplaced).toBe(true);
  expect(world.publishedWorks()).toBe(true);
  expect(textOf(world)).toContain("key_a");
});

test("A new key that somebody replaces is not waited for until the end of the propagation", async () => {
  const world = await adopted(slow);
  const id = await request(world);
  await work(world);
  world.system.passwords.set("key_b", new Secret("created by hand"));
  await workFor(world, hour);
  expect((await world.journal.run("app", id))?.state).toBe("done");
  expect(world.publishedWorks()).toBe(true);
});

test.each([
  ["somebody has seen it", true, minute],
  ["nobody has seen it", false, day],
])("A secret that a person superseded by hand ends: %s", async (_, isSeen, after) => {
  const world = await adopted(mintedBeside);
  await rotate(world);
  await workFor(world, day + hour);
  if (isSeen) {
    const report = { by: "scanner", kind: "exposure" } as const;
    await expose(world.ports(open), world.target, report);
  }
  const byHand = { id: "by-hand", name: "portal", secret: new Secret("made in the portal") };
  const before = world.system.minted.get("app") ?? [];
  world.system.minted.set("app", [...before, byHand]);
  await writeByHand(world, "app", "made in the portal");
  await work(world, open, true);
  expect((await readRecord(world)).retirement === undefined).toBe(isSeen);
  expect(world.system.minted.get("app")).toHaveLength(isSeen ? 1 : 2);
  await workFor(world, after + hour);
  expect(world.system.minted.get("app")).toEqual([byHand]);
  expect(world.publishedWorks()).toBe(true);
});
