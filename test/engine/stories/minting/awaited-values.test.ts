import { expect, test } from "vitest";
import { day, hour } from "../../../../shared/core/time.ts";
import { expose } from "../../../../shared/engine/inbox/expose.ts";
import { workFor } from "../../proofs/disturbed.ts";
import { adopted, readRecord, setPassword, writeByHand } from "../../steps.ts";
import { type Gate, handedIn, makeWorld, open } from "../../world.ts";

test("The first value of a target is found in the vault without an event", async () => {
  const made = await makeWorld(handedIn);
  const publish = { ...made.target.publish, name: "app-other" };
  const world = { ...made, target: { ...made.target, publish } };
  await workFor(world, day);
  expect((await readRecord(world)).awaited?.reason).toBe("first");
  await writeByHand(world, "app", "first-secret-of-app", "app-other");
  await workFor(world, day);
  const { health, awaited, published } = await readRecord(world);
  expect({ health, awaited }).toEqual({ health: "healthy", awaited: undefined });
  expect(published?.name).toBe("app-other");
});

test("A value that was seen and then revoked fails no rotation, and its successor is found without an event", async () => {
  const made = await adopted(handedIn);
  const policy = { ...made.target.policy, afterExposure: 0 };
  const world = { ...made, target: { ...made.target, policy } };
  await expose(world.ports(open), world.target, { by: "scanner", kind: "exposure" });
  await workFor(world, hour);
  setPassword(world, "app", "revoked by the vendor");
  await workFor(world, 2 * day);
  const { health, awaited } = await readRecord(world);
  expect({ health, reason: awaited?.reason }).toEqual({ health: "failing", reason: "exposure" });
  expect(await world.journal.runs("app", 10)).toEqual([]);
  setPassword(world, "app", "the new value");
  await writeByHand(world, "app", "the new value");
  await workFor(world, day);
  expect((await readRecord(world)).awaited).toBeUndefined();
});

test("A revoked value is tried as often as people are reminded, and reported once", async () => {
  const world = await adopted(handedIn);
  setPassword(world, "app", "revoked by the vendor");
  await workFor(world, 2 * day);
  let tries = 0;
  const gate: Gate = (effect, call) => {
    if (effect === "target.verify") tries++;
    return call();
  };
  await workFor(world, 3 * day, gate);
  expect(tries).toBeGreaterThanOrEqual(16);
  expect(tries).toBeLessThanOrEqual(20);
  expect(world.notifier.sent.filter(({ type }) => type === "drift.found")).toHaveLength(1);
});
