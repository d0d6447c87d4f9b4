import { expect, test } from "vitest";
import { minute } from "../../shared/core/time.ts";
import { publishesUnannounced } from "./broken.ts";
import { adopted, request, rotate } from "./steps.ts";
import { engine, type Worker } from "./stops.ts";
import { type Kind, kinds } from "./world.ts";

/**
 * Lets a worker change and prove the secret and look at what is published, then sleep past the end of its claim while others finish
 * its rotation and make another one. Returns whether what consumers read still works once it has woken up.
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
  test(`a worker that has lost its claim publishes nothing: ${kind.name}`, async () => {
    expect(await sleepBeforePublishing(kind, engine)).toBe(true);
  });
}

test("one that does not write before it publishes is caught", async () => {
  const survived: boolean[] = [];
  for (const kind of kinds) survived.push(await sleepBeforePublishing(kind, publishesUnannounced));
  expect(survived).toContain(false);
});
