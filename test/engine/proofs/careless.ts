import { ConfigError, VaultUnavailableError } from "../../../shared/core/errors.ts";
import type { Rotation, TargetRecord } from "../../../shared/core/record/record.ts";
import { between, hour, minute, toInstant } from "../../../shared/core/time.ts";
import type { Ports } from "../../../shared/engine/ports.ts";
import { workOn } from "../../../shared/engine/worker.ts";
import type { Rotator } from "../../../shared/rotators/rotator.ts";
import type { StoredSecret, Unreadable, Vault } from "../../../shared/vaults/vault.ts";
import type { World } from "../world.ts";
import { forgetting } from "./broken.ts";
import type { Worker } from "./stops.ts";

// Engines that each omit one check. They show that the tests of these checks work.

function withRotator(change: (rotator: Rotator, world: World) => Partial<Rotator>): Worker {
  return (ports, world) => {
    const rotator = ports.rotator("memory");
    const changed = { ...rotator, ...change(rotator, world) };
    return workOn({ ...ports, rotator: () => changed }, world.target);
  };
}

type Read = () => Promise<StoredSecret | Unreadable>;

/** Replaces how the published secret is read. */
function withPublished(read: (real: Read, world: World) => ReturnType<Read>): Worker {
  return (ports, world) => {
    const vault: Ports["vault"] = (name) => {
      const real = ports.vault(name);
      if (!real) return undefined;
      const readCurrent: Vault["readCurrent"] = (secret, signal) => {
        const ask = () => real.readCurrent(secret, signal);
        return secret === world.target.publish.name ? read(ask, world) : ask();
      };
      return { ...real, readCurrent };
    };
    return workOn({ ...ports, vault }, world.target);
  };
}

const readRecord = async (world: World) => (await world.journal.read("app"))?.record;

/** Retires because a rotation succeeded once, without a log-in with the published secret. */
export const retiresFromMemory = withRotator((rotator, world) => ({
  async verify(check, signal) {
    const record = await readRecord(world);
    const isRetiring = record?.retirement !== undefined && record.rotation === undefined;
    return isRetiring ? "accepted" : rotator.verify(check, signal);
  },
}));

/** Relies on the log-in with the pending secret, and does not log in with what it published. */
export const checksByComparison = withRotator((rotator, world) => ({
  async verify(check, signal) {
    const id = (await readRecord(world))?.rotation?.id;
    const newest = world.vault.versions("app-db").at(-1);
    const isOwn = id !== undefined && newest?.tags["keyturn-rotation"] === id;
    return isOwn ? "accepted" : rotator.verify(check, signal);
  },
}));

/** Does not check what prevents an account from logging in. */
export const ignoresObstacles = withRotator(() => ({
  examine: () => Promise.resolve({ obstacles: [], right: { is: "proven" } }),
}));

/** Accepts as proof a log-in for which the server did not require a password. */
export const acceptsNoPassword = withRotator((rotator) => ({
  verify: (check, signal) =>
    rotator.verify(check, signal).catch((error: unknown) => {
      if (error instanceof ConfigError) return "accepted";
      throw error;
    }),
  examine: () => Promise.resolve({ obstacles: [], right: { is: "proven" } }),
}));

/** Reads the published secret only once for each rotation, at its beginning. */
export function looksOnce(): Worker {
  // Different worlds have the same ids.
  const seenIn = new WeakMap<World, Map<string, StoredSecret | Unreadable>>();
  return withPublished(async (real, world) => {
    const rotation = (await readRecord(world))?.rotation;
    if (!rotation || rotation.changeBegan) return real();
    const seen = seenIn.get(world) ?? new Map<string, StoredSecret | Unreadable>();
    seenIn.set(world, seen);
    const known = seen.get(rotation.id) ?? (await real());
    seen.set(rotation.id, known);
    return known;
  });
}

/** Treats a deleted secret as one that never existed. */
export const forgetsDeletedSecrets = withPublished(async (real) => {
  const stored = await real();
  return stored === "deleted" ? "absent" : stored;
});

/** Treats every response from the vault's address as a response of the vault. */
export const believesEveryAnswer = withPublished(async (real) => {
  try {
    return await real();
  } catch (error) {
    if (error instanceof VaultUnavailableError) return "absent";
    throw error;
  }
});

/** Waits as long after an unproven change as after a harmless failure. */
export const waitsLong: Worker = async (ports, world) => {
  const failedAt = (await readRecord(world))?.lastFailure?.at;
  const now = toInstant(ports.journal.now());
  if (failedAt !== undefined && between(failedAt, now) < 6 * hour) return undefined;
  return workOn(ports, world.target);
};

/** Uses the clock of its own machine to decide who holds a claim. */
export function usesItsOwnClock(): Worker {
  let started = 0;
  const aheadMs = [0, -10 * minute, hour];
  return (ports, world) => {
    const ahead = aheadMs[started++ % aheadMs.length] ?? 0;
    const now = () => new Date(Date.parse(world.now()) + ahead);
    return workOn({ ...ports, journal: { ...ports.journal, now } }, world.target);
  };
}

/** Does not remember which log-ins were refused. */
export const guessesOnAndOn = forgetting(({ refusals: _, ...record }) => record);

/** Records every phase that a rotation has ever had. */
export function keepsEveryPhase(): Worker {
  const phases: Rotation["phases"][number][] = [];
  const grown = (record: TargetRecord): TargetRecord => {
    const { rotation } = record;
    if (!rotation) return record;
    phases.push(...rotation.phases.slice(-1));
    return { ...record, rotation: { ...rotation, phases: [...phases] } };
  };
  return (ports, world) => {
    const commit: Ports["journal"]["commit"] = (change) =>
      ports.journal.commit({ ...change, record: grown(change.record) });
    return workOn({ ...ports, journal: { ...ports.journal, commit } }, world.target);
  };
}

/** Leaves every pending version readable. */
export const keepsPendingVersions: Worker = (ports, world) => {
  const vault: Ports["vault"] = (name) => {
    const real = ports.vault(name);
    return real && { ...real, disable: () => Promise.resolve() };
  };
  return workOn({ ...ports, vault }, world.target);
};

/** Overwrites what a caller has written meanwhile with its own record. */
export const overwritesRequests: Worker = (ports, world) => {
  const commit: Ports["journal"]["commit"] = async (change) => {
    const found = await ports.journal.read(change.record.targetId);
    const isMine = found?.record.claim.owner === change.record.claim.owner;
    return ports.journal.commit(isMine ? { ...change, etag: found?.etag } : change);
  };
  return workOn({ ...ports, journal: { ...ports.journal, commit } }, world.target);
};

/** Raises no alarm when it changed a target that another worker owned by then. */
export const hidesLostClaims: Worker = (ports, world) => {
  const raise = () => Promise.resolve();
  return workOn({ ...ports, journal: { ...ports.journal, raise } }, world.target);
};
