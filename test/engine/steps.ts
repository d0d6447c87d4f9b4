import { Secret } from "../../shared/core/secrets/secret.ts";
import {
  type Requested,
  requestRotation,
  type RotationInput,
} from "../../shared/engine/inbox/request-rotation.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { type Gate, type Kind, makeWorld, open, type World } from "./world.ts";

/** What a person or program does in a story about one target. */
export async function adopted(kind: Kind): Promise<World> {
  const world = await makeWorld(kind);
  await work(world);
  return world;
}

/** An idempotency key, with the request that it belongs to. */
export const keyed = (id: string, request = "the same") => ({ id, request });

export function work(world: World, gate: Gate = open, checkDrift = false) {
  return workOn(world.ports(gate), world.target, { checkDrift });
}

export async function request(world: World, wanted: Partial<RotationInput> = {}): Promise<string> {
  return (await ask(world, wanted)).rotationId;
}

/** Does the same, and returns the whole answer. */
export function ask(
  world: World,
  wanted: Partial<RotationInput> = {},
  gate: Gate = open,
): Promise<Requested> {
  const asked = { reason: "operator", requestedBy: "test", ...wanted } as const;
  return requestRotation(world.ports(gate), world.target, asked);
}

export async function rotate(world: World, wanted: Partial<RotationInput> = {}): Promise<string> {
  const id = await request(world, wanted);
  await work(world);
  return id;
}

export async function readRecord(world: World) {
  const found = await world.journal.read("app");
  if (!found) throw new Error("the target is not in the journal");
  return found.record;
}

/** Writes the published secret, or another one, by hand. */
export function writeByHand(world: World, account: string, password: string, name = "app-db") {
  const value = new Secret(JSON.stringify({ username: account, password }));
  const content = { value, contentType: "application/json", tags: {} };
  return world.vault.write(name, content, new AbortController().signal);
}

export function setPassword(world: World, account: string, password: string): void {
  for (const { passwords } of world.systems) passwords.set(account, new Secret(password));
}

/** Makes `effect` fail this many times with the error from `make`, then lets everything through. */
export function failing(effect: string, times: number, make: () => Error): Gate {
  let left = times;
  return async (name, call) => {
    if (name === effect && left > 0) {
      left--;
      throw make();
    }
    return call();
  };
}

/** Requests a rotation, works on it once, and returns its state and failure. */
export async function tryRotation(
  world: World,
  wanted: Parameters<typeof request>[1] = {},
  gate = open,
) {
  const id = await request(world, wanted);
  await work(world, gate);
  const run = await world.journal.run("app", id);
  return { id, state: run?.state, message: run?.failure?.message ?? "" };
}
