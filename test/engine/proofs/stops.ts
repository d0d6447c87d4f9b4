import { expect } from "vitest";
import { VaultUnavailableError } from "../../../shared/core/errors.ts";
import type { LedgerAction } from "../../../shared/core/ledger/actions.ts";
import type { TargetRecord } from "../../../shared/core/record/record.ts";
import { minute } from "../../../shared/core/time.ts";
import type { Ports } from "../../../shared/engine/ports.ts";
import { workOn } from "../../../shared/engine/worker.ts";
import { JournalUnavailableError } from "../../../shared/stores/journal.ts";
import { readLedger } from "../ledger/read-ledger.ts";
import { type Gate, hasNoGap, type Kind, makeWorld, type World } from "../world.ts";
import { type Operation, rotation } from "./operations.ts";

/** `dies`: the process ends after the effect. `loses the reply`: the effect happened, but the worker gets an error. */
export const hows = ["dies before", "dies after", "loses the reply of"] as const;
export type How = (typeof hows)[number];

/** A death before an effect equals one after the effect before it, so pairs need not try both. */
export const pairsOfHows = (["dies after", "loses the reply of"] as const).flatMap(
  (first, _, both) => both.map((second) => ({ first, second })),
);

export interface Stop {
  /** The number of the effect at which the stop happens, counted from one since the last stop. */
  readonly at: number;
  readonly how: How;
}

/** How a worker handles one target: the engine itself, unless a test replaces it with a broken one. */
export type Worker = (ports: Ports, world: World) => Promise<unknown>;

export const engine: Worker = (ports, world) => workOn(ports, world.target);

/** Effects change something outside. Reads do not count: a death before a read equals a death after the previous effect. */
const effects = new Set([
  "journal.commit",
  "ledger.log",
  "vault.write",
  "vault.disable",
  "target.apply",
  "target.mint",
  "target.retire",
  "target.discard",
  "node.apply",
  "node.retire",
  "node.discard",
  "consumer.refresh",
  "notifier.send",
]);

interface Ending {
  /** Whether every stop was reached. */
  readonly allMet: boolean;
  /** The number of effects since the last stop. */
  readonly effects: number;
  /** The problems that were found, and when. */
  readonly broken: readonly string[];
}

/**
 * Adopts a target, rotates it once on request and lets the grace end, with the given stops. With `retire: proof`, sessions use the
 * superseded account until then, and for a while longer.
 */
export async function rotateWithStops(
  kind: Kind,
  stops: readonly Stop[],
  worker: Worker = engine,
  operation: Operation = rotation,
): Promise<Ending> {
  const world = await makeWorld(kind);
  await operation.prepare?.(world);
  const superseded = operation.supersedes(kind);
  if (kind.retire === "proof") world.system.sessions.add(superseded);
  const broken: string[] = [];
  const waiting = [...stops];
  let rotationId = "";
  let count = 0;
  let die: () => void = () => undefined;

  const gate: Gate = async (effect, call) => {
    if (!effects.has(effect)) return call();
    count++;
    const stop = waiting[0];
    const isHere = stop?.at === count;
    if (isHere) {
      waiting.shift();
      count = 0;
    }
    if (isHere && stop.how === "dies before") return gone(die);
    const result = await call();
    operation.after?.(world, effect);
    broken.push(...violations(world).map((what) => `${what} after ${effect}`));
    if (!isHere) return result;
    if (stop.how === "dies after") return gone(die);
    throw lostReply(effect);
  };

  /** One life of a process. A dead process never continues, not even with its error handling. */
  async function live(job: (ports: Ports) => Promise<unknown>): Promise<void> {
    let isDead = false;
    const death = new Promise<void>((resolve) => {
      die = () => {
        isDead = true;
        resolve();
      };
    });
    // The process may have made several calls at the same time.
    const alive: Gate = (effect, call) =>
      isDead ? new Promise(() => undefined) : gate(effect, call);
    const life = job(world.ports(alive)).catch((error: unknown) => {
      // The vault of an import answers its caller; a worker never throws because of it.
      const isOutage =
        error instanceof JournalUnavailableError ||
        (error instanceof VaultUnavailableError && rotationId === "");
      if (!isOutage) broken.push(`the worker threw ${String(error)}`);
    });
    await Promise.race([life, death]);
  }

  async function settle(): Promise<void> {
    for (let lives = 0; lives < 40; lives++) {
      await live((ports) => worker(ports, world));
      const found = await world.journal.read("app");
      const record = found?.record;
      if (record?.adoptedAt !== undefined && isIdle(record)) return;
      // Longer than a claim, shorter than any wait in the policy of the test.
      world.advance(11 * minute);
    }
    broken.push("it never settled");
  }

  async function untilRetired(): Promise<void> {
    for (let looks = 0; looks < 20; looks++) {
      if ((await world.journal.read("app"))?.record.retirement === undefined) break;
      world.advance(11 * minute);
      await settle();
    }
    const ends = kind.accounts.length === 2 && kind.as !== "self";
    if (ends && world.isKept(superseded)) broken.push("the superseded secret was never retired");
    const isEnded = world.systems.every(({ seconds }) => seconds.size === 0);
    if (!isEnded) broken.push("the superseded secret was never ended");
  }

  // A preparation ends in the state in which the person makes the request.
  if (!operation.prepare) await settle();
  for (let tries = 0; rotationId === "" && tries < 5; tries++) {
    await live(async (ports) => {
      rotationId = await operation.request(ports, world);
    });
  }
  await settle();
  broken.push(...(await endViolations(world, rotationId, operation.ends)));
  broken.push(...(await operation.violations(world)));
  world.advance(world.target.grace);
  await settle();
  world.system.sessions.delete(superseded);
  await untilRetired();
  if (!world.publishedWorks()) broken.push("the published secret did not survive the grace");
  return { allMet: waiting.length === 0, effects: count, broken };
}

function isIdle({ rotation: open, request, given, dated, claim, outbox }: TargetRecord): boolean {
  const isBusy = [open, request, given, dated, claim.owner].some((one) => one !== undefined);
  return !isBusy && outbox.length === 0;
}

/** The error of a caller whose call had its effect. */
export const lostReply = (effect: string): Error =>
  effect.startsWith("journal.")
    ? new JournalUnavailableError("the reply was lost")
    : new Error("socket hang up");

/** A call that was under way when the process died. */
function gone(die: () => void): Promise<never> {
  die();
  return new Promise(() => undefined);
}

/** Conditions that must hold at every moment. */
export function violations(world: World): string[] {
  const found: string[] = [];
  const { accounts } = world.kind;
  if (!accounts.some((account) => world.isKept(account))) found.push("no stored credential works");
  if (hasNoGap(world.kind) && !world.publishedWorks()) {
    found.push("the published credential does not work");
  }
  if ([...world.system.sessions].some((account) => !world.isKept(account))) {
    found.push("an account that is in use was retired");
  }
  return found;
}

/** Conditions that must hold once a rotation has ended. */
export async function endViolations(world: World, rotationId: string, ends = 1): Promise<string[]> {
  const record = (await world.journal.read("app"))?.record;
  const run = await world.journal.run("app", rotationId);
  const versions = world.vault.versions("app-db");
  const newest = versions.at(-1);
  const known = versions.find(({ ref }) => ref.version === record?.published?.version);
  const told = world.notifier.sent.filter(
    ({ type, data }) => type === "rotation.succeeded" && data["rotationId"] === rotationId,
  );
  const entries = (await readLedger(world.journal)).filter(
    ({ rotations }) => rotations?.[0] === rotationId,
  );
  const count = (action: LedgerAction) => entries.filter((one) => one.action === action).length;
  const refreshed = world.consumer.refreshes.some((one) => one.rotationId === rotationId);
  const findings: Record<string, boolean> = {
    [`the rotation ended as ${run?.state ?? "nothing"}`]: run?.state !== "done",
    "the published secret does not log in": !world.publishedWorks(),
    "the journal names another secret than the published one":
      !known || newest?.value.equals(known.value) !== true,
    "another rotation is published": newest?.tags["keyturn-rotation"] !== rotationId,
    "the consumer was never refreshed": !refreshed,
    "the ledger has not exactly one entry of the request": count("rotation.request") !== 1,
    "the ledger has not exactly one entry of the end": count("rotation.end") !== ends,
    "success was not notified with exactly one id": new Set(told.map(({ id }) => id)).size !== 1,
  };
  return Object.keys(findings).filter((finding) => findings[finding]);
}

/** Runs `stops` for n = 1, 2, … until the rotation ends before the last stop is reached. */
export async function forEveryEffect(
  kind: Kind,
  stopsAt: (n: number) => readonly Stop[],
  worker?: Worker,
  operation?: Operation,
): Promise<number> {
  for (let n = 1; ; n++) {
    const stops = stopsAt(n);
    const ending = await rotateWithStops(kind, stops, worker, operation);
    const story = stops.map(({ how, at }) => `${how} effect ${at}`).join(", then ");
    expect(ending.broken, `${operation?.name ?? ""} ${kind.name}: ${story}`).toEqual([]);
    if (!ending.allMet) return n - 1;
  }
}

/** Does the same for every pair of stops of these two kinds. Returns how many pairs there were. */
export async function forEveryPair(
  kind: Kind,
  { first, second }: { readonly first: How; readonly second: How },
  operation?: Operation,
): Promise<number> {
  let tried = 0;
  for (let at = 1; ; at++) {
    const stopsAt = (n: number) => [
      { at, how: first },
      { at: n, how: second },
    ];
    const seconds = await forEveryEffect(kind, stopsAt, undefined, operation);
    if (seconds === 0) return tried;
    tried += seconds;
  }
}
