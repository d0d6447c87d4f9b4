import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { Places } from "./app.ts";
import { startCallee } from "./calls.ts";
import { countsShape } from "./counts.ts";
import type { Profile } from "./profile.ts";

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

/** Instances of the app that share a process; each has ports of its own. */
export interface Instances {
  /** Takes messages from the queue until `rest`. */
  pull(): Promise<void>;
  /** Resolves when nothing is worked on any more. */
  rest(): Promise<void>;
  /** As the timer does; returns how many messages were sent. */
  sweep(): Promise<number>;
  /** Events since the last call. */
  outcomes(): Promise<readonly Outcome[]>;
  usage(): Promise<InstanceUsage>;
  moments(): Promise<InstanceMoments>;
  startProfile(): Promise<void>;
  endProfile(): Promise<Profile>;
  close(): Promise<void>;
}

/** How the process of instances is started: by default from its sources, as Node likes. */
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

/** How often instances are asked what happened. */
const lookMs = 50;

/** Distance of the sweeps of the timer. */
const sweepMs = 60_000;

export interface Wanted {
  readonly instances: Instances;
  /** Targets of which the event is awaited. */
  readonly ids: readonly string[];
  /** Of the events that end the wait for a target. */
  readonly type: string;
  /** Milliseconds after which the rest is given up. */
  readonly limitMs: number;
  readonly onEvent?: (outcome: Outcome) => void;
}

/** The first awaited event of each target, as milliseconds since 1970. Sweeps are made once a minute meanwhile. */
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
