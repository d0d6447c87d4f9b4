import { appIdentity } from "../../../conformance/identity.ts";
import { LeaseLostError } from "../../../shared/core/errors.ts";
import {
  advance,
  beginRotation,
  succeed,
  toRunRecord,
} from "../../../shared/core/lifecycle/progress.ts";
import { renderPayload } from "../../../shared/core/payload/payload.ts";
import type { TargetRecord } from "../../../shared/core/record/record.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import type { Ports } from "../../../shared/engine/ports.ts";
import { workOn } from "../../../shared/engine/worker.ts";
import { asSetting } from "../../../shared/rotators/as-setting.ts";
import type { Versioned } from "../../../shared/stores/journal.ts";
import type { World } from "../world.ts";
import type { Worker } from "./stops.ts";

/**
 * Engines with one mistake each, all seen in real systems. They show that the crash and race tests work: the tests must catch each of
 * them.
 */

/** The engine with a journal that does not return part of the written record, as if it had not been stored. */
export function forgetting(forget: (record: TargetRecord) => TargetRecord): Worker {
  return (ports, world) => {
    const read = async (id: string): Promise<Versioned | undefined> => {
      const found = await ports.journal.read(id);
      return found && { ...found, record: forget(found.record) };
    };
    return workOn({ ...ports, journal: { ...ports.journal, read } }, world.target);
  };
}

/** Does not know after a crash that a secret was created, so it creates another one. */
export const makesAnotherSecret = forgetting((record) => {
  if (!record.rotation) return record;
  const { pending: _, ...rotation } = record.rotation;
  return { ...record, rotation: { ...rotation, phase: "staging", changeBegan: false } };
});

/** Does not check after a crash whether the change was already made. */
export const neverAsks = forgetting((record) =>
  record.rotation ? { ...record, rotation: { ...record.rotation, changeBegan: false } } : record,
);

/** Publishes a key before an earlier request to replace it has ended. */
export const forgetsOpenRequests = forgetting((record) => ({
  ...record,
  slots: record.slots.map(({ unsettled: _, ...slot }) => slot),
}));

/** Overwrites the row in the journal without conditions or fences, even if another worker wrote it. */
export const ignoresFences: Worker = (ports, world) => {
  const commit: Ports["journal"]["commit"] = async (change) => {
    try {
      return await ports.journal.commit(change);
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
      const found = await world.journal.read(change.record.targetId);
      return world.journal.commit({ ...change, etag: found?.etag });
    }
  };
  return workOn({ ...ports, journal: { ...ports.journal, commit } }, world.target);
};

/** Writes the entries of the ledger after their effect, and not in the same transaction. */
export const logsAfterwards: Worker = (ports, world) => {
  const commit: Ports["journal"]["commit"] = async ({ entries = [], ...change }) => {
    const etag = await ports.journal.commit(change);
    if (entries.length > 0) await ports.journal.ledger.log(entries);
    return etag;
  };
  return workOn({ ...ports, journal: { ...ports.journal, commit } }, world.target);
};

/** The engine with a journal that delays some writes until the next write. */
function postponing(isPostponed: (record: TargetRecord) => boolean): Worker {
  return (ports, world) => {
    const commit: Ports["journal"]["commit"] = (change) =>
      isPostponed(change.record) && change.etag !== undefined
        ? Promise.resolve(change.etag)
        : ports.journal.commit(change);
    return workOn({ ...ports, journal: { ...ports.journal, commit } }, world.target);
  };
}

/** Changes the target before the journal contains the change and the location of its secret. */
export const changesUnannounced = postponing(({ rotation }) => rotation?.phase === "applying");

/** Publishes without checking that it still owns the target, or how much time has passed. */
export const publishesUnannounced: Worker = (ports, world) => {
  const started = ports.journal.now();
  const journal = { ...ports.journal, now: () => started };
  return postponing(({ rotation }) => rotation?.phase === "publishing")(
    { ...ports, journal },
    world,
  );
};

/** Leaves an account of several servers half-changed until the last server takes the change. */
export const leavesHalfChanged: Worker = (ports, world) => {
  const rotator = { ...ports.rotator("memory") };
  delete rotator.setBack;
  return workOn({ ...ports, rotator: () => rotator }, world.target);
};

/** Publishes and then changes the target, as Azure's own sample does. */
export const publishesFirst = naive(["publish", "change"]);

/** Changes the target, and stores the secret only afterwards. */
export const keepsTheSecretInMemory = naive(["change", "publish"]);

/** Does the given steps in the given order, and uses the journal only to record them. */
function naive(order: readonly ("publish" | "change")[]): Worker {
  return async (ports, world) => {
    const found = await ports.journal.read("app");
    const { request } = found?.record ?? {};
    if (!found?.record.adoptedAt || !request) return workOn(ports, world.target);
    const account = world.kind.accounts.find((name) => name !== found.record.active) ?? "app";
    const secret = new Secret(Buffer.from(ports.randomBytes(24)).toString("base64url"));
    const signal = ports.deadline(60_000);
    let published = found.record.published;
    for (const effect of order) {
      if (effect === "change") {
        const change = { options: {}, next: { account, secret }, using: appIdentity };
        await asSetting(ports.rotator("memory")).apply(change, signal);
      } else {
        const endpoint = { engine: "memory", host: "memory", port: 0 };
        published = await ports.vault("main")?.write(
          "app-db",
          {
            ...renderPayload("json", { account, secret }, endpoint),
            tags: { "keyturn-rotation": request.rotationId },
          },
          signal,
        );
      }
    }
    return book(ports, world, { found, account, published });
  };
}

async function book(
  ports: Ports,
  world: World,
  {
    found,
    account,
    published,
  }: {
    readonly found: Versioned;
    readonly account: string;
    readonly published: TargetRecord["published"];
  },
): Promise<void> {
  const now = world.now();
  const { request } = found.record;
  if (!request) return;
  const grounds = { why: "requested", policyFingerprint: "" };
  const begun = beginRotation(found.record, { account, request, grounds, now });
  if (!begun.rotation) return;
  const rotation = advance(begun.rotation, "cleaning", published ? { published } : {}, now);
  const record = succeed(begun, { rotation, target: world.target, canRetire: false, now });
  const runs = [toRunRecord(rotation, { record, state: "done", now })];
  await ports.journal.commit({ record, etag: found.etag, wakeAt: undefined, runs });
}
