import { expect, test } from "vitest";
import { ChangeRefusedError } from "../../../../shared/core/errors.ts";
import { day, hour, minute, plus } from "../../../../shared/core/time.ts";
import { accepted, publishedIn, undo } from "../../given-steps.ts";
import { seen, withPolicy, yearEnd } from "../../policy-world.ts";
import {
  adopted,
  failing,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import { singleAdmin, type World } from "../../world.ts";

/** Undoes twice: the first undo publishes what was there before the exposed secret, the second one would publish that again. */
async function expectNotBack(world: World): Promise<void> {
  const exposed = publishedIn(world).password;
  await accepted(undo(world, { liftFreeze: "the release fails" }));
  await work(world);
  expect(publishedIn(world).password).toBe("first-secret-of-app");
  world.advance(minute);
  expect(await undo(world, { liftFreeze: "again" })).toMatchObject({
    refused: expect.stringContaining("was reported as exposed") as string,
  });
  expect(publishedIn(world).password).not.toBe(exposed);
}

async function changed(): Promise<World> {
  const world = await adopted(singleAdmin);
  await rotate(world);
  world.advance(minute);
  return world;
}

const frozen = { freeze: [{ ...yearEnd, lift: [] }] };

test("No undo publishes the secret of a request with cause exposure that waits for a freeze", async () => {
  const world = withPolicy(await changed(), frozen);
  await request(world, { reason: "exposure" });
  await work(world);
  await expectNotBack(world);
});

test("No undo publishes the secret of a rotation with cause exposure that failed", async () => {
  const world = await changed();
  await request(world, { reason: "exposure" });
  await work(
    world,
    failing("target.apply", 1, () => new ChangeRefusedError("no")),
  );
  await expectNotBack(world);
});

test("A scheduled rotation with cause exposure concerns the secret that is published at its date", async () => {
  const world = withPolicy(await changed(), frozen);
  await request(world, { reason: "exposure", notBefore: plus(world.now(), day) });
  expect(await readRecord(world)).not.toHaveProperty("exposedVersions");
  world.advance(day + minute);
  await work(world);
  await expectNotBack(world);
});

const byHand = "set-and-stored-by-hand";

async function publishByHand(): Promise<World> {
  const world = withPolicy(await adopted(singleAdmin), { afterExposure: 4 * hour });
  setPassword(world, "app", byHand);
  await writeByHand(world, "app", byHand);
  world.advance(minute);
  return world;
}

test.each<[string, (world: World) => Promise<unknown>]>([
  ["reported", (world) => seen(world)],
  ["named by a request with cause exposure", (world) => request(world, { reason: "exposure" })],
])("No undo publishes a secret that was %s before Keyturn adopted it", async (_how, report) => {
  const world = await publishByHand();
  await report(world);
  await rotate(world);
  expect(publishedIn(world).password).not.toBe(byHand);
  world.advance(minute);
  expect(await undo(world)).toMatchObject({
    refused: expect.stringContaining("was reported as exposed") as string,
  });
});

test("A secret that somebody published by hand after the report can be published again", async () => {
  const world = withPolicy(await adopted(singleAdmin), { afterExposure: 4 * hour });
  await seen(world);
  world.advance(minute);
  setPassword(world, "app", byHand);
  await writeByHand(world, "app", byHand);
  world.advance(minute);
  await rotate(world);
  world.advance(minute);
  await accepted(undo(world));
  await work(world);
  expect(publishedIn(world).password).toBe(byHand);
});
