import { type Counts, since } from "./world/counts.ts";
import { awaitEach, type Instances, type Outcome } from "./world/instances.ts";
import type { World } from "./world/world.ts";

/** The result of one round, in which every target of the world is rotated once, on request. */
export interface Round {
  /** Rotations that were done within the limit. */
  readonly done: number;
  /** Milliseconds from the first message taken to the last rotation done; the whole limit when some are missing. */
  readonly tookMs: number;
  /** Summed over all instances. */
  readonly cpuMs: number;
  /** Summed over all instances. */
  readonly counts: Counts;
  /** Log-ins, as the server counts them. */
  readonly logIns: number;
  /** Answers 429 of the vault. */
  readonly throttled: number;
}

export interface Limits {
  /** Milliseconds after which the round ends, even if rotations are not done. */
  readonly limitMs: number;
  readonly onEvent?: (outcome: Outcome) => void;
}

/** Writes all requests first. The measured time starts when the instances may take messages. */
export async function playRound(
  world: World,
  instances: Instances,
  { limitMs, onEvent }: Limits,
): Promise<Round> {
  const { ids, vault, database } = world;
  await world.request(ids);
  const [before, tally, sessions] = await Promise.all([
    instances.usage(),
    vault.tally(),
    database.sessions(),
  ]);
  const began = Date.now();
  await instances.pull();
  const done = await awaitEach({
    ...{ instances, ids, limitMs, type: "succeeded" },
    ...(onEvent && { onEvent }),
  });
  await instances.rest();
  const [after, tallyAfter, sessionsAfter] = await Promise.all([
    instances.usage(),
    vault.tally(),
    database.sessions(),
  ]);
  const isWhole = done.size === ids.length;
  return {
    done: done.size,
    tookMs: isWhole ? Math.max(...done.values()) - began : limitMs,
    cpuMs: after.cpuMs - before.cpuMs,
    counts: since(before.counts, after.counts),
    logIns: sessionsAfter - sessions,
    throttled: tallyAfter.throttled - tally.throttled,
  };
}
