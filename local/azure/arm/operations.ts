import { randomUUID } from "node:crypto";
import type { ArmRefusal } from "./errors.ts";

export interface Operation {
  readonly id: string;
  readonly startTime: string;
  /** The body that the result of the operation has. */
  readonly show: () => object;
  status: "InProgress" | "Succeeded" | "Failed";
  error: ArmRefusal | undefined;
}

/** The result of an operation after it was accepted. */
export type Fate =
  | { readonly ends: "never" }
  | { readonly ends: "failed"; readonly error: ArmRefusal }
  | { readonly ends: "succeeded"; land(): Promise<void> };

interface Running {
  readonly operation: Operation;
  readonly fate: Fate;
  ticks: number;
}

/**
 * Long-running operations, one at a time for each resource. Each request about a resource is one tick of their clock, so that no test
 * depends on time and an operation ends even when no client polls it.
 */
export interface Operations {
  begin(resource: string, ticks: number, fate: Fate, show: () => object): Operation;
  tick(resource: string): Promise<void>;
  /** Ends every operation that can end now. */
  settle(): Promise<void>;
  isBusy(resource: string): boolean;
  find(id: string): { resource: string; operation: Operation } | undefined;
}

export function operationTable(): Operations {
  const running = new Map<string, Running>();
  const known = new Map<string, { resource: string; operation: Operation }>();

  async function end(resource: string, { operation, fate }: Running): Promise<void> {
    if (fate.ends === "never") return;
    running.delete(resource);
    if (fate.ends === "failed") operation.error = fate.error;
    else await fate.land();
    operation.status = fate.ends === "succeeded" ? "Succeeded" : "Failed";
  }

  return {
    begin(resource, ticks, fate, show) {
      const operation: Operation = {
        id: randomUUID(),
        startTime: new Date().toISOString(),
        show,
        status: "InProgress",
        error: undefined,
      };
      known.set(operation.id, { resource, operation });
      running.set(resource, { operation, fate, ticks });
      return operation;
    },
    async tick(resource) {
      const now = running.get(resource);
      if (now === undefined) return;
      now.ticks -= 1;
      if (now.ticks < 0) await end(resource, now);
    },
    async settle() {
      for (const [resource, one] of running) await end(resource, one);
    },
    isBusy: (resource) => running.has(resource),
    find: (id) => known.get(id),
  };
}
