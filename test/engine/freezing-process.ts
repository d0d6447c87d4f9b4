import type { FreezeInput } from "../../shared/core/freezes/operator-freeze.ts";
import type { Target } from "../../shared/core/target.ts";
import { makeOperations } from "../../shared/engine/operations.ts";
import { makeMemoryQueue } from "../../shared/stores/memory/memory-queue.ts";
import { adopted } from "./steps.ts";
import { type Gate, open, singleAdmin, type World } from "./world.ts";

export const until = "2026-01-05T00:00:00.000Z";
export const wanted: FreezeInput = {
  by: "anna",
  reason: "audit",
  until,
  lift: ["exposure", "breach"],
  selection: {},
};

/** A process that works on the targets of the world, with its own knowledge of freezes. */
export function makeProcess(
  world: World,
  targets: readonly Target[] = [world.target],
  gate: Gate = open,
) {
  const seen = { reads: 0 };
  const ports = world.ports(gate);
  const journal = {
    ...ports.journal,
    freezes: () => {
      seen.reads++;
      return ports.journal.freezes();
    },
  };
  const queue = makeMemoryQueue(() => world.now());
  const operations = makeOperations({
    ports: { ...ports, journal },
    queue,
    targets,
    vaultAt: () => undefined,
  })(ports.emit);
  return {
    ...operations,
    operations,
    seen,
    queue,
    request: (fields: object = {}) =>
      operations.request("app", { reason: "operator", requestedBy: "eva", ...fields }),
    work: () => operations.work({ targetId: "app", because: "test" }),
    /** Sweeps, and does the work of the messages. */
    async run() {
      await operations.sweep();
      await operations.work({ targetId: "app", because: "due" });
    },
  };
}

export async function begin() {
  const world = await adopted(singleAdmin);
  const one = makeProcess(world);
  await one.run();
  return { world, one };
}

export const stateOf = async (world: World, id: string | undefined) =>
  (await world.journal.run("app", id ?? ""))?.state;
