import { TargetUnavailableError, VaultUnavailableError } from "../../../shared/core/errors.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { day, hour, minute } from "../../../shared/core/time.ts";
import { expose } from "../../../shared/engine/inbox/expose.ts";
import { accepted, importInto, issued, publishedIn, undo } from "../given-steps.ts";
import { withPolicy, yearEnd } from "../policy-world.ts";
import { adopted, failing, readRecord, rotate, setPassword } from "../steps.ts";
import { open, pairAdmin, singleAdmin, type World } from "../world.ts";
import type { Probe } from "./probes.ts";
import { engine, violations, type Worker } from "./stops.ts";

const down = () => new TargetUnavailableError("the server is down");

/** Lets a worker begin, and meet a server that is down. */
const begin = (world: World, worker: Worker) =>
  worker(world.ports(failing("target.verify", 99, down)), world);

/** A database administrator sets the secret while the first attempt of its import fails. */
export const setMeanwhile: Probe = async (worker) => {
  const world = await adopted(singleAdmin);
  await accepted(importInto(world));
  await begin(world, worker);
  setPassword(world, "app", issued);
  world.advance(11 * minute);
  await worker(world.ports(open), world);
  return world.applied.size === 0 ? [] : ["Keyturn set a secret that the target had"];
};

/** The target has the imported secret, and is down for days before anybody can find that out. */
export const downForDays: Probe = async (worker) => {
  const world = await adopted(singleAdmin);
  await accepted(importInto(world));
  setPassword(world, "app", issued);
  const broken: string[] = [];
  for (let turn = 0; turn < 8; turn++) {
    await begin(world, worker);
    broken.push(...violations(world));
    world.advance(7 * hour);
  }
  return broken;
};

/** A person imports a secret that nobody has set for the published account of a pair. */
export const importOfPublished: Probe = async (worker) => {
  const world = await adopted(pairAdmin);
  await accepted(importInto(world, { account: "app_a" }));
  await begin(world, engine);
  world.advance(11 * minute);
  const broken: string[] = [];
  const gate: typeof open = async (effect, call) => {
    const result = await call();
    broken.push(...violations(world).map((what) => `${what} after ${effect}`));
    return result;
  };
  await worker(world.ports(gate), world);
  return broken;
};

/** Somebody sees the previous secret after an undo of it was accepted. */
export const seenMeanwhile: Probe = async (worker) => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  const { slots } = await readRecord(world);
  const previous = slots.find(({ account }) => account === "app_a")?.current;
  await accepted(undo(world));
  const lost = () => new VaultUnavailableError("down");
  await worker(world.ports(failing("vault.write", 1, lost)), world);
  const seen = { by: "ben", kind: "exposure", version: previous?.version ?? "" } as const;
  await expose(world.ports(open), world.target, seen);
  world.advance(11 * minute);
  await worker(world.ports(open), world);
  return publishedIn(world).account === "app_a" ? ["an exposed secret is published again"] : [];
};

/** A freeze delays an undo beyond the grace of the account that it publishes. */
export const undoBeyondGrace: Probe = async (worker) => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  const frozen = withPolicy(world, { freeze: [{ ...yearEnd, lift: [] }] });
  await accepted(undo(frozen));
  world.advance(2 * day);
  await worker(frozen.ports(open), frozen);
  return world.isKept("app_a") ? [] : ["the account of an accepted undo was retired"];
};

/** The server is down until an undo has used up its attempts. */
export const undoGivenUp: Probe = async (worker) => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  await accepted(undo(world));
  for (let turn = 0; turn < 4; turn++) {
    await begin(world, worker);
    world.advance(11 * minute);
  }
  const secret = new Secret("first-secret-of-app_a");
  const isSet = world.system.passwords.get("app_a")?.equals(secret) === true;
  return isSet && !world.isKept("app_a") ? ["an undo lost the previous secret"] : [];
};
