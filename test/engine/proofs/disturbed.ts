import { expect } from "vitest";
import { findWakeTime } from "../../../shared/core/lifecycle/decide.ts";
import { hour, second } from "../../../shared/core/time.ts";
import { requestRotation } from "../../../shared/engine/inbox/request-rotation.ts";
import { JournalUnavailableError } from "../../../shared/stores/journal.ts";
import { watch } from "../watch.ts";
import { type Gate, type Kind, makeWorld, open, type World } from "../world.ts";
import type { Disturbance } from "./disturbances.ts";
import { type Operation, rotation } from "./operations.ts";
import { engine, type Worker } from "./stops.ts";

interface Ending {
  /** Whether the disturbance happened. */
  readonly struck: boolean;
  /** The problems that were found. */
  readonly broken: readonly string[];
}

interface Disturbed {
  readonly worker?: Worker;
  readonly operation?: Operation;
}

/**
 * Adopts a target, rotates it on request and lets the grace end. The disturbance happens before the n-th call of the engine after the
 * request, and ends an hour later. Keyturn itself must never remove the last working credential.
 */
export async function rotateDisturbed(
  kind: Kind,
  disturbance: Disturbance,
  at: number,
  { worker = engine, operation = rotation }: Disturbed = {},
): Promise<Ending> {
  const world = await makeWorld(kind);
  await operation.prepare?.(world);
  let calls = 0;
  let isOn = false;
  let struck = false;
  const { broken, noteStrike, judge } = watch(world, (changed) =>
    isOn ? disturbance.forbids?.(world, changed) : undefined,
  );
  const gate: Gate = async (effect, call) => {
    if (++calls === at) {
      struck = true;
      isOn = true;
      noteStrike();
      await disturbance.strike(world);
    }
    return judge(effect, call);
  };
  const noteTry = () => {
    const left = isOn ? disturbance.leaves?.(world) : undefined;
    if (left !== undefined) broken.push(left);
  };
  const workUntil = (end: number) => workOnUntil(world, { worker, gate, end, broken, noteTry });

  await worker(world.ports(open), world);
  await operation.request(world.ports(open), world);
  await workUntil(Date.parse(world.now()) + hour);
  await workUntil(Date.parse(world.now()) + world.target.grace);
  await workUntil(Date.parse(world.now()) + hour);
  calls = at;
  isOn = false;
  await disturbance.heal?.(world);
  await requestRotation(world.ports(open), world.target, {
    reason: "operator",
    requestedBy: "person",
  });
  await workUntil(Date.parse(world.now()) + 14 * hour);
  broken.push(...(await endings(world)));
  return { struck, broken: [...new Set(broken)] };
}

/** Does the same with the disturbance before every single call, and finds no problem. Returns how many calls there were. */
export async function strikeEverywhere(
  kind: Kind,
  disturbance: Disturbance,
  options?: Disturbed,
): Promise<number> {
  for (let at = 1; ; at++) {
    const { struck, broken } = await rotateDisturbed(kind, disturbance, at, options);
    if (!struck) return at - 1;
    expect(broken, `before call ${at}`).toEqual([]);
  }
}

interface WorkOptions {
  readonly worker: Worker;
  readonly gate: Gate;
  /** Milliseconds since the epoch. */
  readonly end: number;
  /** Receives what the worker throws. */
  readonly broken: string[];
  /** Called at the end of each try. */
  readonly noteTry?: () => void;
  /** How far the worker's clock is ahead. */
  readonly aheadMs?: number;
}

/** Runs a worker whenever the target is due, until `end`. */
export async function workOnUntil(
  world: World,
  { worker, gate, end, broken, noteTry, aheadMs = 0 }: WorkOptions,
): Promise<void> {
  for (let turn = 0; turn < 60 && Date.parse(world.now()) < end; turn++) {
    await worker(world.ports(gate, aheadMs), world).catch((error: unknown) => {
      if (!(error instanceof JournalUnavailableError)) broken.push(`it threw ${String(error)}`);
    });
    noteTry?.();
    const record = (await world.journal.read("app"))?.record;
    const wake = Date.parse((record && findWakeTime(record, world.now())) ?? "") || end;
    const now = Date.parse(world.now());
    world.advance(Math.min(Math.max(wake, now + second), end) - now);
  }
}

/** Runs a worker for this many milliseconds, whenever the target is due. */
export async function workFor(world: World, length: number, gate: Gate = open): Promise<void> {
  const end = Date.parse(world.now()) + length;
  while (Date.parse(world.now()) < end)
    await workOnUntil(world, { worker: engine, gate, end, broken: [] });
}

export async function endings(world: World): Promise<string[]> {
  const record = (await world.journal.read("app"))?.record;
  const found: string[] = [];
  if (!world.publishedWorks()) found.push("the published secret does not work at the end");
  if (record?.health !== "healthy")
    found.push(`the target is ${record?.health ?? "unknown"} at the end`);
  return found;
}
