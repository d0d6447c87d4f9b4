import { VaultUnavailableError } from "../../../shared/core/errors.ts";
import { hour, minute, second } from "../../../shared/core/time.ts";
import { requestRotation } from "../../../shared/engine/inbox/request-rotation.ts";
import { type Gate, type Kind, makeWorld, open } from "../world.ts";
import { endings, workOnUntil } from "./disturbed.ts";
import { engine, violations, type Worker } from "./stops.ts";

/** A request whose answer is lost, and which takes effect late. */
export interface Late {
  /** The number of the request, counted from one. */
  readonly at: number;
  /** Milliseconds until it takes effect. */
  readonly after: number;
}

export const delays = [second, minute, 5 * minute, 14 * minute];

/**
 * Adopts a target and rotates it three times, each time through the grace. The answers to some requests are lost, and they take effect late.
 * Returns the problems that were found, and how many requests there were. `losesWrite`: the number of the
 * version which the vault stores without an answer.
 */
export async function rotateLate(
  kind: Kind,
  lates: readonly Late[],
  {
    worker = engine,
    losesWrite = 0,
  }: { readonly worker?: Worker; readonly losesWrite?: number } = {},
) {
  const world = await makeWorld(kind);
  const broken = new Set<string>();
  const waiting: { readonly at: number; readonly land: () => void }[] = [];
  let requests = 0;
  world.system.carry = (request) => {
    requests++;
    const late = lates.find(({ at }) => at === requests);
    if (!late) {
      request();
      return;
    }
    waiting.push({ at: Date.parse(world.now()) + late.after, land: request });
    throw new Error("socket hang up");
  };

  function land(): void {
    const due = waiting.filter(({ at }) => at <= Date.parse(world.now()));
    for (const one of due) {
      waiting.splice(waiting.indexOf(one), 1);
      one.land();
      judge("a late request");
    }
  }

  function judge(after: string): void {
    for (const what of violations(world)) broken.add(`${what} after ${after}`);
  }

  let writes = 0;
  const gate: Gate = async (effect, call) => {
    land();
    const result = await call();
    judge(effect);
    if (effect === "vault.write" && ++writes === losesWrite) {
      throw new VaultUnavailableError("the version was stored, and the answer was lost");
    }
    return result;
  };

  const workFor = async (length: number) => {
    const end = Date.parse(world.now()) + length;
    await workOnUntil(world, { worker, gate, end, broken: [] });
    land();
  };

  await worker(world.ports(open), world);
  for (let rotations = 0; rotations < 3; rotations++) {
    const wanted = { reason: "operator", requestedBy: "person" } as const;
    await requestRotation(world.ports(open), world.target, wanted);
    await workFor(world.target.grace + 2 * hour);
  }
  await workFor(2 * hour);
  for (const what of await endings(world)) broken.add(what);
  return { broken: [...broken], requests, world };
}
