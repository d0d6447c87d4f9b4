import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expose } from "../../shared/engine/inbox/expose.ts";
import { recordUse } from "../../shared/engine/inbox/record-use.ts";
import { requestRotation, type RotationInput } from "../../shared/engine/inbox/request-rotation.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { makeWorld, open, singleAdmin } from "../engine/world.ts";
import { type AzuriteTables, azuriteTables } from "../stores/azurite-tables.ts";

let tables: AzuriteTables;
beforeAll(async () => {
  tables = await azuriteTables();
});
afterAll(() => tables.close());

const crowd = Array.from({ length: 60 }, (_, index) => index);
const wish: RotationInput = { reason: "operator", requestedBy: "test" };

/** An adopted target in real tables, whose writes are counted. */
async function target() {
  const world = await makeWorld(singleAdmin);
  const { journal } = tables.open();
  let written = 0;
  const ports: Ports = {
    ...world.ports(open),
    journal: {
      ...journal,
      commit: async (change) => {
        const etag = await journal.commit(change);
        written++;
        return etag;
      },
    },
    pause: async (milliseconds) => {
      await setTimeout(milliseconds);
    },
  };
  await workOn(ports, world.target);
  const before = written;
  return { ports, target: world.target, written: () => written - before };
}

test("sixty equal requests at once all get one rotation, which is written once", async () => {
  const { ports, target: wanted, written } = await target();
  const answers = await Promise.all(crowd.map(() => requestRotation(ports, wanted, wish)));
  expect(new Set(answers.map(({ rotationId }) => rotationId)).size).toBe(1);
  expect(written()).toBe(1);
});

test("twenty requests with keys of their own at once are all answered, and each key is remembered", async () => {
  const { ports, target: wanted, written } = await target();
  const keyed = (index: number) =>
    requestRotation(ports, wanted, { ...wish, key: { id: `key-${index}`, request: "the same" } });
  // Each request must write, and can lose at most one race to each other request.
  const few = crowd.slice(0, 20);
  const answers = await Promise.all(few.map(keyed));
  expect(new Set(answers.map(({ rotationId }) => rotationId)).size).toBe(1);
  expect(written()).toBe(few.length);
  expect(await ports.journal.request(wanted.id, "key-19")).toMatchObject({ asked: "the same" });
});

test("sixty exposures and sixty uses at once are all answered; the uses are written once, and the exposures for each name that is kept", async () => {
  const { ports, target: wanted, written } = await target();
  const seen = (index: number) =>
    expose(ports, wanted, { by: `reader ${index}`, kind: "exposure" });
  const began = Date.now();
  const answers = await Promise.all([
    ...crowd.map(seen),
    ...crowd.map(() => recordUse(ports, wanted, {})),
  ]);
  expect(answers).toHaveLength(2 * crowd.length);
  // The first exposure, the names of ten others, and the first use. Every five seconds, the time of the last exposure.
  expect(written()).toBeGreaterThanOrEqual(1 + 10 + 1);
  expect(written()).toBeLessThanOrEqual(1 + 10 + 1 + Math.ceil((Date.now() - began) / 5_000));
});
