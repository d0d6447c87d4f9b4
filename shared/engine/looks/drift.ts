import { VaultUnavailableError } from "../../core/errors.ts";
import { withoutAwaited } from "../../core/lifecycle/awaited.ts";
import { withExposedSuperseded } from "../../core/lifecycle/exposure.ts";
import {
  handoverMs,
  withoutGraceHolds,
  withoutSuperseded,
  withSuperseded,
} from "../../core/lifecycle/grace-hold.ts";
import { withVerified } from "../../core/lifecycle/heartbeat.ts";
import { notify } from "../../core/lifecycle/notifications.ts";
import { withDueAfterGrace } from "../../core/lifecycle/permit.ts";
import { withPublishedProven } from "../../core/lifecycle/progress.ts";
import { withRefresh } from "../../core/lifecycle/refresh.ts";
import { withCheck } from "../../core/record/check.ts";
import { withExposedAdopted } from "../../core/record/exposed-versions.ts";
import type { Rotation, TargetRecord } from "../../core/record/record.ts";
import { findSlot, promote, withSlot } from "../../core/record/slots.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { hasOverlap, isSameVersion, type VersionRef } from "../../core/target.ts";
import { between, plus } from "../../core/time.ts";
import type { StoredSecret, Unreadable } from "../../vaults/vault.ts";
import { logsIn } from "../calls/reach.ts";
import { readCurrent, readStored, readVersion, toCredential } from "../calls/stored.ts";
import { rethrowUnlessExpected } from "../failure.ts";
import { findShapeWarning } from "../phases/publication.ts";
import type { TargetSession } from "../session.ts";
import { stillLogsIn } from "./credentials.ts";
import { recogniseOwner } from "./owner.ts";
import { lookUpEnd } from "./secret-end.ts";
import { findUnsettledEnd } from "./settled.ts";

type Existing = StoredSecret | Exclude<Unreadable, "absent">;

/**
 * Reports a version that somebody else wrote during a rotation, which replaces it. Returns whether there is one. If it holds the present
 * secret of the other account of a pair, the journal keeps its location: it may be the only copy.
 */
export async function reportForeignVersion(
  session: TargetSession,
  current: StoredSecret | Unreadable,
  { id, account }: Rotation,
): Promise<boolean> {
  if (current === "absent" || current === "deleted") return false;
  if (!(await isForeign(session, current, id))) return false;
  const others = session.target.slots.map((slot) => slot.account).filter((one) => one !== account);
  const credential =
    current === "disabled" || others.length === 0
      ? undefined
      : toCredential(session, current, others);
  const isLive =
    current !== "disabled" &&
    credential !== undefined &&
    (await logsIn(session, { credential, ref: current.ref }));
  // Build the record after the log-in, so that it includes requests that came meanwhile.
  const record = withDrift(
    session,
    current,
    "Keyturn did not write this version; the open rotation will replace it",
  );
  if (isLive) {
    const slot = promote(findSlot(record, credential.account), current.ref, current.createdAt);
    await session.commit({ ...record, slots: withSlot(record.slots, slot) });
  } else {
    await session.commit(record);
  }
  return true;
}

/**
 * The published secret, as the vault has it now.
 *
 * | is | meaning |
 * |---|---|
 * | `nothing` | there is no version, and none was ever published |
 * | `known` | the version that the journal knows; no log-in was tried |
 * | `adopted` | somebody else wrote the version; it logs in and was adopted |
 * | `refused` | somebody else wrote the version, and the target refuses it |
 * | `unusable` | there is no readable credential of the target |
 */
export type Published =
  | { readonly is: "nothing" }
  | {
      readonly is: "known" | "adopted" | "refused";
      readonly stored: StoredSecret;
      readonly credential: Credential;
    }
  | { readonly is: "unusable"; readonly stored: StoredSecret | Unreadable };

/**
 * Reads the published secret. A version that somebody else wrote and that logs in is adopted as the account's secret; any other
 * version that Keyturn did not write is reported.
 */
export async function syncPublished(session: TargetSession): Promise<Published> {
  const stored = await readCurrent(session, session.target.publish);
  if (stored === "absent" || stored === "deleted") {
    return session.record().published || stored === "deleted"
      ? { is: "unusable", stored }
      : { is: "nothing" };
  }
  const accounts = session.target.slots.map((slot) => slot.account);
  await recogniseOwner(session, stored);
  const credential = stored === "disabled" ? undefined : toCredential(session, stored, accounts);
  const foreign = await isForeign(session, stored, session.record().rotation?.id);
  if (stored === "disabled" || !credential) {
    if (foreign) await reportUnusable(session, stored, accounts);
    return { is: "unusable", stored };
  }
  if (!foreign) return { is: "known", stored, credential };
  if (!(await stillLogsIn(session, { credential, ref: stored.ref }))) {
    await reportRefused(session, stored);
    return { is: "refused", stored, credential };
  }
  await adoptVersion(session, stored, credential);
  return { is: "adopted", stored, credential };
}

/** Reports that the target refuses the published secret. */
export async function reportRefused(session: TargetSession, stored: StoredSecret): Promise<void> {
  const { refusedSince: before, published } = session.record();
  const isKnown = before !== undefined && isSameVersion(stored.ref, published);
  const record = isKnown
    ? session.record()
    : withDrift(session, stored, "the target refuses this version");
  const at = session.now();
  const { refusedSince = at } = record;
  const message = `the target refuses the published secret ${stored.ref.name}`;
  const isNew = record.health === "healthy";
  const lastFailure = { kind: "change-refused", message, at } as const;
  await session.commit({
    ...record,
    refusedSince,
    ...(isNew && { health: "failing" as const, lastFailure }),
  });
}

async function reportUnusable(
  session: TargetSession,
  stored: Existing,
  accounts: readonly string[],
): Promise<void> {
  const reading = typeof stored === "string" ? undefined : readStored(session, stored, accounts);
  const why = reading?.kind === "none" ? `: the secret ${reading.why}` : "";
  const detail =
    typeof stored === "string"
      ? `the secret is ${stored}`
      : `the secret holds no credential of the target${why}`;
  const record = withoutGraceHolds(withDrift(session, stored, detail), session.now());
  // Consumers that read the secret now get no credential, so the rotation that replaces it does not wait.
  await session.commit(withoutSuperseded(record));
}

/** Adopts the version. This counts as a rotation, unless a rotation is under way or waits for a retry. */
async function adoptVersion(
  session: TargetSession,
  stored: StoredSecret,
  credential: Credential,
): Promise<void> {
  const { ref, createdAt } = stored;
  const { account } = credential;
  const end = await lookUpEnd(session, ref, credential);
  const reading = readStored(session, stored, [account]);
  const warning = reading.kind === "credential" && findShapeWarning(session, reading.shape);
  const detail = `Keyturn did not write this version; it logs in and was adopted${warning ? `; ${warning}` : ""}`;
  const isExpected = session.target.origin === "people";
  const rotationId = `adopted-${ref.version}`;
  const record = isExpected
    ? withAdoption(session, ref, { account, ...(warning && { warning }) })
    : withDrift(session, { ref }, detail);
  const slot = promote(findSlot(record, account), ref, createdAt);
  const proven = {
    ...withoutAwaited(withPublishedProven(record)),
    slots: withSlot(record.slots, slot),
    published: ref,
    ...(end && { secretEnd: end }),
  };
  const verified = withVerified(proven, session.target, session.now());
  const active = withSuperseded(verified, { active: account, at: createdAt }, session.target);
  const seen = withExposedAdopted(active, { version: ref.version, createdAt });
  const adopted = withExposedSuperseded(seen, record);
  const isPlanned = record.rotation !== undefined || record.again !== undefined;
  const planned = isPlanned ? adopted : withDueAfterGrace(adopted, session.target, session.now());
  const ended = withSupersededEnd(session, planned, record);
  const ending = isExpected
    ? withRefresh(ended, session.target, { published: ref, rotationId }, session.now())
    : ended;
  const open = findUnsettledEnd(session, account);
  const why = `a request whose answer was lost might have replaced the secret of ${account}`;
  await session.commit(open === undefined ? ending : withCheck(ending, why, open));
}

/**
 * Where a system keeps secrets side by side, the one that a person superseded stays valid until Keyturn ends it: after the grace, or at
 * once if somebody has seen it.
 */
function withSupersededEnd(
  session: TargetSession,
  record: TargetRecord,
  { published, active, exposure, exposedVersions = [] }: TargetRecord,
): TargetRecord {
  const { target, ports } = session;
  const isBeside = target.origin === "system" && hasOverlap(target);
  if (!isBeside || !published || record.retirement || active !== record.active) return record;
  const isSeen = exposure !== undefined || exposedVersions.includes(published.version);
  const retirement = {
    ...{ account: active ?? "", rotationId: ports.newId(), failures: 0 },
    accountStays: true as const,
    at: plus(session.now(), isSeen ? 0 : target.grace),
  };
  return active === undefined ? record : { ...record, retirement };
}

/** The record with the news that a value which people handed over is in use. */
function withAdoption(
  session: TargetSession,
  { name, version }: VersionRef,
  more: { readonly account: string; readonly warning?: string },
): TargetRecord {
  const data = { secret: name, version, ...more };
  const at = session.now();
  return notify(session.record(), { type: "credential.adopted", at, data, about: version });
}

/**
 * Whether somebody else wrote the version. A retried write of Keyturn leaves two equal versions, which are not drift. Throws
 * VaultUnavailableError when the vault answers with a version older than the published one.
 */
export async function isForeign(
  session: TargetSession,
  current: Existing,
  rotationId: string | undefined,
): Promise<boolean> {
  const known = session.record().published;
  if (typeof current === "string") return known !== undefined;
  if (isSameVersion(current.ref, known)) return false;
  if (rotationId !== undefined && current.tags["keyturn-rotation"] === rotationId) return false;
  const ours = await readKnown(session);
  if (ours === undefined) return true;
  requireNewer(session, current, ours);
  return !ours.value.equals(current.value);
}

/** Reads the known published version. If it can no longer be read, a newer version is assumed to be somebody else's. */
async function readKnown(session: TargetSession): Promise<StoredSecret | undefined> {
  const known = session.record().published;
  if (!known) return undefined;
  try {
    const ours = await readVersion(session, known);
    return typeof ours === "string" ? undefined : ours;
  } catch (error) {
    rethrowUnlessExpected(error);
    return undefined;
  }
}

/**
 * Rejects an outdated answer. A single version cannot be deleted, so a superseded version is never the newest again: a vault that answers
 * with one is behind, and its answer is not what consumers read.
 */
function requireNewer(session: TargetSession, current: StoredSecret, ours: StoredSecret): void {
  const { slots, active } = session.record();
  // Key Vault rounds to whole seconds, so two versions may have the same time. Do not wait for that forever.
  const isSuperseded =
    between(ours.createdAt, session.now()) < handoverMs &&
    slots.some(
      (slot) =>
        isSameVersion(slot.previous, current.ref) ||
        (slot.account !== active && isSameVersion(slot.current, current.ref)),
    );
  const { createdAt } = current;
  if (createdAt > ours.createdAt || (createdAt === ours.createdAt && !isSuperseded)) return;
  const { name, version } = current.ref;
  throw new VaultUnavailableError(
    `the vault returned version ${version} of ${name}, although version ${ours.ref.version} is newer. Keyturn reads the secret again later`,
  );
}

function withDrift(
  session: TargetSession,
  current: Pick<StoredSecret, "ref"> | Exclude<Unreadable, "absent">,
  detail: string,
): TargetRecord {
  const { target } = session;
  const record = session.record();
  const known = record.published?.version ?? "";
  const version = typeof current === "string" ? `${current} after ${known}` : current.ref.version;
  session.emit({
    type: "drift",
    detail,
    ...(typeof current !== "string" && { version: current.ref }),
  });
  const data = { secret: target.publish.name, version, detail };
  // The key contains the version and not the time, so that a receiver can recognise a repeated notification.
  return notify(record, { type: "drift.found", at: session.now(), data, about: version });
}
