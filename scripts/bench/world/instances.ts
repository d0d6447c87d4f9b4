import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { startCallee } from "./calls.ts";
import { countsShape } from "./counts.ts";
import type { Places } from "./open-app.ts";
import type { Profile } from "./start-profile.ts";

const outcomeShape = z.object({
  /** Of the event. */
  type: z.string(),
  targetId: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
  why: z.string().optional(),
});
const usageShape = z.object({ cpuMs: z.number(), rssBytes: z.number(), counts: countsShape });
const momentsShape = z.object({ name: z.string(), at: z.number() }).array();
const bothShape = z.object({ changed: momentsShape, written: momentsShape });

/** An event of the app. */
export type Outcome = z.output<typeof outcomeShape>;
export type InstanceUsage = z.output<typeof usageShape>;
/** When passwords changed on the server, and when versions were written. */
export type InstanceMoments = z.output<typeof bothShape>;

/** Instances of the app in one process. Each has its own ports. */
export interface Instances {
  /** Takes messages from the queue until `rest`. */
  pull(): Promise<void>;
  /** Takes no more messages. Resolves when no message is in work. */
  rest(): Promise<void>;
  /** Sweeps like the timer. Returns how many messages were sent. */
  sweep(): Promise<number>;
  /** Events since the last call. */
  outcomes(): Promise<readonly Outcome[]>;
  usage(): Promise<InstanceUsage>;
  moments(): Promise<InstanceMoments>;
  startProfile(): Promise<void>;
  endProfile(): Promise<Profile>;
  close(): Promise<void>;
}

/** How the process of the instances is started. Default: from its sources, with the default flags of Node. */
export interface Program {
  readonly file: string;
  readonly nodeArguments: readonly string[];
}

const fromSources: Program = { file: "instance.ts", nodeArguments: [] };

export function startInstances(places: Places, count: number, program = fromSources): Instances {
  const { file, nodeArguments } = program;
  const callee = startCallee(file, [JSON.stringify({ places, count })], nodeArguments);
  return {
    async pull() {
      await callee.call("pull");
    },
    async rest() {
      await callee.call("rest");
    },
    sweep: async () => z.number().parse(await callee.call("sweep")),
    outcomes: async () => outcomeShape.array().parse(await callee.call("outcomes")),
    usage: async () => usageShape.parse(await callee.call("usage")),
    moments: async () => bothShape.parse(await callee.call("moments")),
    async startProfile() {
      await callee.call("startProfile");
    },
    endProfile: async () => z.record(z.string(), z.number()).parse(await callee.call("endProfile")),
    close: () => callee.close(),
  };
}

/** Milliseconds between two queries for events. */
const lookMs = 50;

/** Milliseconds between two sweeps. */
const sweepMs = 60_000;

export interface Wanted {
  readonly instances: Instances;
  /** The targets to wait for. */
  readonly ids: readonly string[];
  /** The type of the event that ends the wait for a target. */
  readonly type: string;
  /** Milliseconds after which the wait ends. */
  readonly limitMs: number;
  readonly onEvent?: (outcome: Outcome) => void;
}

/** Waits for the event of each target and returns its time in milliseconds since 1970. Sweeps once a minute meanwhile. */
export async function awaitEach(wanted: Wanted): Promise<ReadonlyMap<string, number>> {
  const { instances, ids, type, limitMs, onEvent } = wanted;
  const awaited = new Set(ids);
  const seen = new Map<string, number>();
  const began = Date.now();
  for (let sweeps = 1; awaited.size > 0 && Date.now() - began < limitMs;) {
    for (const outcome of await instances.outcomes()) {
      onEvent?.(outcome);
      if (outcome.type === type && awaited.delete(outcome.targetId)) {
        seen.set(outcome.targetId, outcome.at);
      }
    }
    if (Date.now() - began > sweeps * sweepMs) {
      sweeps += 1;
      void instances.sweep().catch(() => undefined);
    }
    await wait(lookMs);
  }
  return seen;
}
