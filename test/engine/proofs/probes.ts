import { TargetUnavailableError, VaultUnavailableError } from "../../../shared/core/errors.ts";
import { guessWindowMs, maxGuesses } from "../../../shared/core/looks/guesses.ts";
import { minute, second } from "../../../shared/core/time.ts";
import { request, setPassword } from "../steps.ts";
import { type Gate, type Kind, makeWorld, open, singleAdmin, singleSelf } from "../world.ts";
import { disturbances } from "./disturbances.ts";
import { rotateDisturbed, workOnUntil } from "./disturbed.ts";
import { race } from "./races.ts";
import type { Worker } from "./stops.ts";

/** Tests one property of an engine, and returns the problems that were found. */
export type Probe = (worker: Worker) => Promise<readonly string[]>;

/** Returns the problems that a disturbance causes, over every call that it can precede. */
export function disturbedBy(name: string, kind: Kind): Probe {
  return async (worker) => {
    const disturbance = disturbances.find((one) => one.name.includes(name));
    if (!disturbance) throw new RangeError(`no disturbance is called ${name}`);
    for (let at = 1; ; at++) {
      const { struck, broken } = await rotateDisturbed(kind, disturbance, at, { worker });
      if (!struck || broken.length > 0) return broken;
    }
  };
}

/** Something other than the vault answers reads while a target is adopted, until the first secret was written. */
export function adoptsBehindAWrongAddress(kind: Kind): Probe {
  return async (worker) => {
    const world = await makeWorld(kind);
    world.setFault((effect) =>
      effect === "vault.read" && world.vault.versions("keyturn-pending-app").length === 0
        ? new VaultUnavailableError("HTTP 404")
        : undefined,
    );
    for (let turn = 0; turn < 3; turn++) {
      await worker(world.ports(open), world);
      world.advance(minute);
    }
    return world.applied.size === 0
      ? []
      : ["a password was changed although nothing could be read"];
  };
}

/** A change is made, and for a few seconds no log-in can show whether the target accepts it. */
export const unprovenChange: Probe = async (worker) => {
  const broken: string[] = [];
  const world = await makeWorld(singleAdmin);
  await worker(world.ports(open), world);
  await request(world);
  const until = Date.parse(world.now()) + 20 * second;
  const gate: Gate = (effect, call) =>
    effect === "target.verify" && world.applied.size > 0 && Date.parse(world.now()) < until
      ? Promise.reject(new TargetUnavailableError("the line was lost"))
      : call();
  await workOnUntil(world, { worker, gate, end: until + 5 * minute, broken });
  if (!world.publishedWorks()) broken.push("consumers are refused for minutes");
  return broken;
};

/** The server loses the change directly after the new version was published, and the worker continues. */
export const lostAfterPublishing: Probe = async (worker) => {
  const world = await makeWorld(singleAdmin);
  await worker(world.ports(open), world);
  await request(world);
  let isLost = false;
  const gate: Gate = async (_, call) => {
    const result = await call();
    if (!isLost && world.vault.versions("app-db").length > 1) {
      isLost = true;
      world.loseLastCommit();
    }
    return result;
  };
  const broken: string[] = [];
  const end = Date.parse(world.now()) + 5 * minute;
  await workOnUntil(world, { worker, gate, end, broken });
  if (!world.publishedWorks()) broken.push("consumers are refused after the rotation");
  return broken;
};

/** Workers whose clocks differ race for a target. */
export function racedFor(kind: Kind): Probe {
  return async (worker) => {
    for (let seed = 1; seed <= 60; seed++) {
      const broken = await race(kind, seed, worker);
      if (broken.length > 0) return broken;
    }
    return [];
  };
}

/** An account that changes itself was changed by hand, and an operator requests a rotation again and again. */
export const guessedAgainAndAgain: Probe = async (worker) => {
  const world = await makeWorld(singleSelf);
  await worker(world.ports(open), world);
  setPassword(world, "app", "changed by hand");
  const refusedAt: number[] = [];
  const gate: Gate = async (effect, call) => {
    const result = await call();
    if (effect === "target.verify" && result === "rejected")
      refusedAt.push(Date.parse(world.now()));
    return result;
  };
  for (let turn = 0; turn < 40; turn++) {
    await request(world);
    await worker(world.ports(gate), world);
    world.advance(30 * second);
  }
  const most = Math.max(
    ...refusedAt.map(
      (at) => refusedAt.filter((one) => one >= at && one < at + guessWindowMs).length,
    ),
  );
  return most > maxGuesses ? [`${most} wrong passwords within ten minutes`] : [];
};

/** The most characters that a column of a row can hold. */
const columnLimit = 32_000;

/** An operator requests a rotation of a blocked target again and again. */
export const askRepeatedly: Probe = async (worker) => {
  const world = await makeWorld(singleSelf);
  let longest = 0;
  const { journal, ...ports } = world.ports(open);
  const commit: typeof journal.commit = (change) => {
    longest = Math.max(longest, JSON.stringify(change.record.rotation ?? {}).length);
    return journal.commit(change);
  };
  await worker({ ...ports, journal: { ...journal, commit } }, world);
  setPassword(world, "app", "changed by hand");
  for (let turn = 0; turn < 200; turn++) {
    await request(world);
    await worker({ ...ports, journal: { ...journal, commit } }, world);
    world.advance(5 * minute);
  }
  return longest > columnLimit ? ["a rotation outgrows its column"] : [];
};

/** Whether a published secret stays readable under a second name. */
export const pendingLeftOver: Probe = async (worker) => {
  const world = await makeWorld(singleAdmin);
  await worker(world.ports(open), world);
  await request(world);
  await worker(world.ports(open), world);
  const left = world.vault.versions("keyturn-pending-app").filter(({ enabled }) => enabled);
  return left.length === 0 ? [] : ["a pending version stays enabled"];
};

/** An operator reports an exposure while a worker is in the middle of a rotation that has already published. */
export const requestMeanwhile: Probe = async (worker) => {
  const world = await makeWorld(singleAdmin);
  await worker(world.ports(open), world);
  await request(world);
  let asked = "";
  const gate: Gate = async (effect, call) => {
    const result = await call();
    if (effect === "consumer.refresh" && asked === "") {
      asked = await request(world, { reason: "exposure", requestedBy: "security" });
    }
    return result;
  };
  for (let turn = 0; turn < 3; turn++) {
    await worker(world.ports(gate), world);
    world.advance(11 * minute);
  }
  const run = await world.journal.run("app", asked);
  return run?.state === "done" ? [] : ["a request is lost"];
};

/** A worker is suspended before its change, which takes effect when another worker owns the target. */
export const lateChange: Probe = async (worker) => {
  const world = await makeWorld(singleAdmin);
  await worker(world.ports(open), world);
  await request(world);
  let isLate = false;
  const gate: Gate = async (effect, call) => {
    if (effect !== "target.apply" || isLate) return call();
    isLate = true;
    world.advance(3 * minute);
    await worker(world.ports(open), world);
    await request(world);
    await worker(world.ports(open), world);
    return call();
  };
  await worker(world.ports(gate), world);
  const alarms = await world.journal.alarms(5);
  return alarms.some(({ kind }) => kind === "claim-lost-after-change")
    ? []
    : ["a change that came too late raises no alarm"];
};
