import type { Ports } from "../../shared/engine/ports.ts";
import { makeMemoryPace } from "../../shared/stores/memory/memory-pace.ts";
import { makeSharedPace } from "../../shared/stores/shared-pace.ts";
import { request as ask } from "./steps.ts";
import { type Gate, open, type World } from "./world.ts";

/** Ports whose pauses take their time, with a pace of `perWindow` versions in 10 seconds. */
export function paced(world: World, gate: Gate = open, perWindow = 280) {
  const pauses: number[] = [];
  const pace = makeSharedPace(
    makeMemoryPace(),
    () => perWindow,
    () => new Date(world.now()),
  );
  const ports: Ports = {
    ...world.ports(gate),
    pace,
    pause: (milliseconds) => {
      pauses.push(milliseconds);
      world.advance(milliseconds);
      return Promise.resolve();
    },
  };
  return { ports, pace, pauses };
}

/** A scheduled rotation, which no person waits for. */
export const request = (world: World) => ask(world, { reason: "schedule" });
