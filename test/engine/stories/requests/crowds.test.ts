import { expect, test } from "vitest";
import { LeaseLostError } from "../../../../shared/core/errors.ts";
import { day, hour } from "../../../../shared/core/time.ts";
import { expose } from "../../../../shared/engine/inbox/expose.ts";
import { recordUse } from "../../../../shared/engine/inbox/record-use.ts";
import { requestRotation } from "../../../../shared/engine/inbox/request-rotation.ts";
import { retryOnConflict } from "../../../../shared/engine/inbox/retry-on-conflict.ts";
import { work, worldWith } from "../../policy-world.ts";
import { type Gate, open, type World } from "../../world.ts";

const crowd = Array.from({ length: 60 }, (_, index) => index);
const wish = { reason: "operator", requestedBy: "test" } as const;

/** Makes all first reads end together, as when many callers come at once, and counts attempted writes. */
function together(size: number): { gate: Gate; tried: () => number } {
  let waiting = 0;
  let tried = 0;
  let release: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    release = resolve;
  });
  const gate: Gate = async (effect, call) => {
    if (effect === "journal.commit") tried++;
    const result = await call();
    if (effect === "journal.read" && waiting < size) {
      if (++waiting === size) release();
      await all;
    }
    return result;
  };
  return { gate, tried: () => tried };
}

async function manyReports<Outcome>(
  world: World,
  ask: (ports: ReturnType<World["ports"]>, index: number) => Promise<Outcome>,
): Promise<{ answers: Outcome[]; written: number; tried: number }> {
  const { gate, tried } = together(crowd.length);
  let written = 0;
  const counting: Gate = (effect, call) =>
    gate(effect, async () => {
      const result = await call();
      if (effect === "journal.commit") written++;
      return result;
    });
  const ports = world.ports(counting);
  const answers = await Promise.all(crowd.map((index) => ask(ports, index)));
  return { answers, written, tried: tried() };
}

test("Sixty equal requests at once lead to one rotation with one write", async () => {
  const world = await worldWith({});
  await work(world);
  const { answers, written, tried } = await manyReports(world, (ports) =>
    requestRotation(ports, world.target, wish),
  );
  expect(new Set(answers.map(({ rotationId }) => rotationId)).size).toBe(1);
  expect(answers.filter(({ joined }) => !joined)).toHaveLength(1);
  expect([written, tried]).toEqual([1, crowd.length]);
});

test("Requests for a rotation that is already queued or under way write nothing", async () => {
  const world = await worldWith({});
  await work(world);
  await requestRotation(world.ports(open), world.target, wish);
  const before = await world.journal.read("app");
  const { written } = await manyReports(world, (ports) =>
    requestRotation(ports, world.target, wish),
  );
  expect(written).toBe(0);
  expect((await world.journal.read("app"))?.etag).toBe(before?.etag);
});

test("Of sixty exposures at once the names of the first are written, and of sixty uses one", async () => {
  const world = await worldWith({ afterExposure: hour, afterIdle: 30 * day });
  await work(world);
  const seen = await manyReports(world, (ports, index) =>
    expose(ports, world.target, { by: `reader ${index}`, kind: "exposure" }),
  );
  expect(seen.answers.every(({ counted }) => counted)).toBe(true);
  expect(seen.written).toBe(11);
  const again = await manyReports(world, (ports, index) =>
    expose(ports, world.target, { by: `reader ${index}`, kind: "exposure" }),
  );
  expect(again.written).toBe(0);
  const used = await manyReports(world, (ports) => recordUse(ports, world.target, {}));
  expect(used.answers.filter(({ counted }) => counted)).toHaveLength(1);
  expect(used.written).toBe(1);
});

test("A writer that loses every race stops after a bounded number of random pauses", async () => {
  const pauses: number[] = [];
  let draws = 0;
  const ports = {
    pause: (milliseconds: number) => {
      pauses.push(milliseconds);
      return Promise.resolve();
    },
    randomBytes: () => (++draws % 2 === 0 ? Uint8Array.of(0, 0) : Uint8Array.of(255, 255)),
  };
  const lost = retryOnConflict(ports, () => Promise.reject(new LeaseLostError("lost")));
  await expect(lost).rejects.toThrow(LeaseLostError);
  expect(pauses.slice(0, 7)).toEqual([25, 0, 100, 0, 400, 0, 1_000]);
  expect(pauses).toHaveLength(19);
  expect(Math.max(...pauses)).toBe(1_000);
});
