import { VaultUnavailableError } from "../../core/errors.ts";
import { notify } from "../../core/lifecycle/notifications.ts";
import { withPublishedProven } from "../../core/lifecycle/progress.ts";
import { readPayload } from "../../core/payload/payload.ts";
import { withDue } from "../../core/record/due.ts";
import type { Rotation, TargetRecord } from "../../core/record/rotation.ts";
import { findSlot, promote, withSlot } from "../../core/record/slots.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { sameVersion } from "../../core/target.ts";
import { between, minute } from "../../core/time.ts";
import type { StoredSecret, Unreadable } from "../../vaults/vault.ts";
import { credentialIn, logsIn, readCurrent, readVersion } from "../calls/reach.ts";
import { rethrowUnlessExpected } from "../failure.ts";
import { shapeWarning } from "../phases/publication.ts";
import type { Session } from "../session.ts";
import { stillLogsIn } from "./credentials.ts";

type Existing = StoredSecret | Exclude<Unreadable, "absent">;

/** A person who changes a credential by hand may publish it before the target has it. */
export const handoverMs = 10 * minute;

/**
 * Reports a version that somebody else wrote while a rotation is under way, which replaces it; tells whether there is one. If it
 * holds the present secret of the other account of a pair, that stays known: nothing else may have it.
 */
export async function reportForeignVersion(
  session: Session,
  current: StoredSecret | Unreadable,
  { id, account }: Rotation,
): Promise<boolean> {
  if (current === "absent" || current === "deleted") return false;
  if (!(await isForeign(session, current, id))) return false;
  const others = session.target.slots.map((slot) => slot.account).filter((one) => one !== account);
  const credential =
    current === "disabled" || others.length === 0
      ? undefined
      : credentialIn(session, current, others);
  const isLive =
    current !== "disabled" &&
    credential !== undefined &&
    (await logsIn(session, { credential, ref: current.ref }));
  // Built after the log-in: a request that comes meanwhile is part of the record by now.
  const record = withDrift(
    session,
    current,
    "somebody else wrote it, and the rotation that is under way replaces it",
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
 * What consumers read, as the vault has it now.
 *
 * | is | meaning |
 * |---|---|
 * | `nothing` | no version, and none was ever published |
 * | `known` | the version that the journal knows; whether it logs in was not asked |
 * | `adopted` | somebody else wrote it; it logs in and was adopted |
 * | `refused` | somebody else wrote it, and the target refuses it |
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
 * Reads what consumers read. A version that somebody else wrote and that logs in is adopted as the account's secret;
 * anything else that is not ours is reported.
 */
export async function syncPublished(session: Session): Promise<Published> {
  const stored = await readCurrent(session, session.target.publish);
  if (stored === "absent" || stored === "deleted") {
    return session.record().published || stored === "deleted"
      ? { is: "unusable", stored }
      : { is: "nothing" };
  }
  const accounts = session.target.slots.map((slot) => slot.account);
  const credential = stored === "disabled" ? undefined : credentialIn(session, stored, accounts);
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

/** Tells that the target refuses what consumers read. */
export async function reportRefused(session: Session, stored: StoredSecret): Promise<void> {
  const record = withDrift(session, stored, "the target refuses it");
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
  session: Session,
  stored: Existing,
  accounts: readonly string[],
): Promise<void> {
  const reading = typeof stored === "string" ? undefined : readPayload(stored.value, accounts);
  const why = reading?.kind === "none" ? `: it ${reading.why}` : "";
  const detail =
    typeof stored === "string"
      ? `it is ${stored}`
      : `it cannot be read as a credential of the target${why}`;
  await session.commit(withDrift(session, stored, detail));
}

/** It is as good as a rotation, unless one is under way or waits to be repeated. */
async function adoptVersion(
  session: Session,
  { ref, createdAt, value }: StoredSecret,
  { account }: Credential,
): Promise<void> {
  const reading = readPayload(value, [account]);
  const warning = reading.kind === "credential" && shapeWarning(session, reading.shape);
  const detail = `somebody else wrote it; it logs in and was adopted${warning ? `; ${warning}` : ""}`;
  const record = withDrift(session, { ref }, detail);
  const slot = promote(findSlot(record, account), ref, createdAt);
  const adopted: TargetRecord = {
    ...withPublishedProven(record),
    slots: withSlot(record.slots, slot),
    active: account,
    published: ref,
  };
  const isPlanned = record.rotation !== undefined || record.again !== undefined;
  await session.commit(isPlanned ? adopted : withDue(adopted, session.target, session.now()));
}

/**
 * A retried write leaves two equal versions of ours; those are not drift. Throws VaultUnavailableError for an answer that is
 * older than what is known to be published.
 */
async function isForeign(
  session: Session,
  current: Existing,
  rotationId: string | undefined,
): Promise<boolean> {
  const known = session.record().published;
  if (typeof current === "string") return known !== undefined;
  if (sameVersion(current.ref, known)) return false;
  if (rotationId !== undefined && current.tags["keyturn-rotation"] === rotationId) return false;
  const ours = await readKnown(session);
  if (ours === undefined) return true;
  requireNewer(session, current, ours);
  return !ours.value.equals(current.value);
}

/** The version we know may be out of reach by now; then a newer one is somebody else's for all we know. */
async function readKnown(session: Session): Promise<StoredSecret | undefined> {
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
 * A single version cannot be deleted, so one that was superseded is never the newest again: who answers with it is behind. What
 * it says must not be taken for what consumers read.
 */
function requireNewer(session: Session, current: StoredSecret, ours: StoredSecret): void {
  const { slots, active } = session.record();
  // Key Vault tells whole seconds, so two versions may seem to be of the same moment. That is not waited out for ever.
  const isSuperseded =
    between(ours.createdAt, session.now()) < handoverMs &&
    slots.some(
      (slot) =>
        sameVersion(slot.previous, current.ref) ||
        (slot.account !== active && sameVersion(slot.current, current.ref)),
    );
  const { createdAt } = current;
  if (createdAt > ours.createdAt || (createdAt === ours.createdAt && !isSuperseded)) return;
  const { name, version } = current.ref;
  throw new VaultUnavailableError(
    `the vault answered with version ${version} of ${name}, which was superseded by ${ours.ref.version}; it is asked again later`,
  );
}

function withDrift(
  session: Session,
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
  // Keyed by version and not by time, so that a receiver can tell what it has heard before.
  return notify(record, { type: "drift.found", at: session.now(), data, about: version });
}
