import { expect, test } from "vitest";
import type { Target } from "../../../../shared/core/target.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { adopted, request } from "../../steps.ts";
import { type Gate, open, pairAdmin, type World } from "../../world.ts";

/** Works on the target that another one follows. */
function work(world: World, gate: Gate = open) {
  const follower: Target = { ...world.target, id: "follower", after: "app" };
  const followers = (id: string) => (id === "app" ? [follower] : []);
  return workOn({ ...world.ports(gate), followers }, world.target);
}

const requestOf = async (world: World) => (await world.journal.read("follower"))?.record.request;

test("A successful rotation requests one of the target that follows, and says why", async () => {
  const world = await adopted(pairAdmin);
  const id = await request(world);
  await work(world);
  expect(await requestOf(world)).toMatchObject({
    reason: "linked",
    requestedBy: "keyturn",
    justification: { reason: `target app was rotated (rotation ${id})` },
  });
});

test("A rotation that does not end well requests nothing", async () => {
  const world = await adopted(pairAdmin);
  await request(world);
  await work(world, (effect, call) =>
    effect === "target.apply" ? Promise.reject(new Error("down")) : call(),
  );
  expect(await requestOf(world)).toBeUndefined();
});

test("A request that could not be written is made later, and only once for each rotation", async () => {
  const world = await adopted(pairAdmin);
  await request(world);
  let isDown = true;
  const gate: Gate = async (effect, call) => {
    if (effect !== "journal.commit") return call();
    const before = await requestOf(world);
    const result = await call();
    const isTheirs = before === undefined && (await requestOf(world)) !== undefined;
    // The request is stored, but its answer is lost.
    if (isTheirs && isDown) {
      isDown = false;
      throw new Error("socket hang up");
    }
    return result;
  };
  await work(world, gate);
  const first = await requestOf(world);
  world.advance(60_000);
  await work(world);
  expect(isDown).toBe(false);
  expect(await requestOf(world)).toEqual(first);
  expect((await world.journal.read("app"))?.record.outbox).toEqual([]);
});

test("A target that nothing follows costs no delivery", async () => {
  const world = await adopted(pairAdmin);
  await request(world);
  const effects: string[] = [];
  await workOn(
    { ...world.ports((effect, call) => (effects.push(effect), call())), notifiers: [] },
    world.target,
  );
  expect(effects.filter((effect) => effect === "journal.commit")).toHaveLength(6);
});
