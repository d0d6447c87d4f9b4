import { expect, test } from "vitest";
import { minute } from "../../../../shared/core/time.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { publishesUnannounced } from "../../proofs/broken.ts";
import { engine, type Worker } from "../../proofs/stops.ts";
import { adopted, readRecord, request, rotate } from "../../steps.ts";
import { type Kind, kinds, open, singleAdmin } from "../../world.ts";

/**
 * Lets a worker change and prove the secret and check the published one, then sleep past the end of its claim while other workers finish
 * its rotation and make another one. Returns whether the published secret still works after the worker has woken up.
 */
async function sleepBeforePublishing(kind: Kind, worker: Worker): Promise<boolean> {
  const world = await adopted(kind);
  await request(world);
  let slept = false;
  const ports = world.ports(async (effect, call) => {
    const answer = await call();
    if (effect !== "vault.read" || world.applied.size === 0 || slept) return answer;
    slept = true;
    for (let rotations = 0; rotations < 2; rotations++) {
      world.advance(3 * minute);
      await rotate(world);
    }
    return answer;
  });
  await worker(ports, world);
  expect(slept).toBe(true);
  return world.publishedWorks();
}

for (const kind of kinds) {
  test(`A worker that has lost its claim publishes nothing: ${kind.name}`, async () => {
    expect(await sleepBeforePublishing(kind, engine)).toBe(true);
  });
}

/** Does the same with a worker that finds the rotation at `publishing`, because the worker before it died there. */
async function sleepAfterResuming(kind: Kind) {
  const world = await adopted(kind);
  await request(world);
  let writes = 0;
  const died = Promise.withResolvers<undefined>();
  void workOn(
    world.ports((effect, call) => {
      if (effect !== "vault.write" || ++writes < 2) return call();
      died.resolve(undefined);
      return new Promise(() => undefined);
    }),
    world.target,
  );
  await died.promise;
  expect((await readRecord(world)).rotation?.phase).toBe("publishing");
  world.advance(3 * minute);
  let slept = false;
  const ports = world.ports(async (effect, call) => {
    const answer = await call();
    if (effect !== "target.verify" || slept) return answer;
    slept = true;
    for (let rotations = 0; rotations < 2; rotations++) {
      world.advance(3 * minute);
      await rotate(world);
    }
    return answer;
  });
  await workOn(ports, world.target);
  expect(slept).toBe(true);
  return world.publishedWorks();
}

for (const kind of kinds) {
  test(`A worker that resumed a dead worker's rotation and lost its claim publishes nothing: ${kind.name}`, async () => {
    expect(await sleepAfterResuming(kind)).toBe(true);
  });
}

test("A worker that loses its claim while it publishes makes the owner check the published secret", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  let writes = 0;
  await workOn(
    world.ports(async (effect, call) => {
      const answer = await call();
      if (effect !== "vault.write" || ++writes < 2) return answer;
      world.advance(3 * minute);
      await workOn(world.ports(open), world.target);
      return answer;
    }),
    world.target,
  );
  expect((await readRecord(world)).check?.why).toContain("lost its claim");
  expect(await world.journal.alarms(9)).toMatchObject([{ kind: "claim-lost-after-change" }]);
});

test("The tests catch a worker that does not write to the journal before it publishes", async () => {
  const survived: boolean[] = [];
  for (const kind of kinds) survived.push(await sleepBeforePublishing(kind, publishesUnannounced));
  expect(survived).toContain(false);
});
