import { randomUUID } from "node:crypto";
import type { ArmRefusal } from "./errors.ts";

export interface Operation {
  readonly id: string;
  readonly startTime: string;
  status: "InProgress" | "Succeeded" | "Failed";
  error: ArmRefusal | undefined;
}

/** The result of an operation after it was accepted. */
export type Fate =
  | { readonly ends: "never" }
  | { readonly ends: "failed"; readonly error: ArmRefusal }
  | { readonly ends: "succeeded"; land(): void };

interface Running {
  readonly operation: Operation;
  readonly fate: Fate;
  ticks: number;
}

/**
 * Long-running operations, one at a time for each server. Each request about a server is one tick of their clock, so that no test
 * depends on time and an operation ends even when no client polls it.
 */
export interface Operations {
  begin(server: string, ticks: number, fate: Fate): Operation;
  tick(server: string): void;
  /** Ends every operation that can end now. */
  settle(): void;
  isBusy(server: string): boolean;
  find(id: string): { server: string; operation: Operation } | undefined;
}

export function operationTable(): Operations {
  const running = new Map<string, Running>();
  const known = new Map<string, { server: string; operation: Operation }>();

  function end(server: string, { operation, fate }: Running): void {
    if (fate.ends === "never") return;
    running.delete(server);
    operation.status = fate.ends === "succeeded" ? "Succeeded" : "Failed";
    if (fate.ends === "failed") operation.error = fate.error;
    else fate.land();
  }

  return {
    begin(server, ticks, fate) {
      const operation: Operation = {
        id: randomUUID(),
        startTime: new Date().toISOString(),
        status: "InProgress",
        error: undefined,
      };
      known.set(operation.id, { server, operation });
      running.set(server, { operation, fate, ticks });
      return operation;
    },
    tick(server) {
      const now = running.get(server);
      if (now === undefined) return;
      if (now.ticks <= 0) end(server, now);
      now.ticks -= 1;
    },
    settle() {
      for (const [server, one] of running) end(server, one);
    },
    isBusy: (server) => running.has(server),
    find: (id) => known.get(id),
  };
}
