import { withDue } from "../core/due.ts";
import { notify } from "../core/progress.ts";
import type { TargetRecord } from "../core/rotation.ts";
import { promote, slotOf, withSlot } from "../core/slots.ts";
import { sameVersion } from "../core/target.ts";
import type { StoredSecret, Unreadable } from "../vaults/vault.ts";
import { credentialIn, logsIn, readCurrent, readVersion } from "./reach.ts";
import { rethrowUnlessExpected } from "./failure.ts";
import type { Session } from "./session.ts";

/** Somebody else wrote what consumers read. */
export async function reportForeignVersion(
  session: Session,
  current: StoredSecret | Unreadable,
  rotationId: string,
): Promise<void> {
  if (current === "absent" || current === "deleted") return;
  if (!(await isForeign(session, current, rotationId))) return;
  await session.commit(withDrift(session, current, "replaced by the rotation that is under way"));
}

/** What consumers read: what the journal says, what somebody else wrote and works, or something that does not. */
export type Published = "known" | "taken over" | "unusable";

/**
 * Is the published version still the one we know? One that somebody else wrote and that logs in is taken over as the
 * account's secret; anything else is only told.
 */
export async function takeOverDrift(session: Session): Promise<Published> {
  const current = await readCurrent(session, session.target.publish);
  if (current === "absent" || current === "deleted") {
    return session.record().published ? "unusable" : "known";
  }
  if (!(await isForeign(session, current, undefined))) return "known";
  const accounts = session.target.slots.map((slot) => slot.account);
  const credential = current === "disabled" ? undefined : credentialIn(session, current, accounts);
  if (current === "disabled" || !credential) {
    await session.commit(withDrift(session, current, "not readable as a credential of the target"));
    return "unusable";
  }
  if (!(await logsIn(session, credential))) {
    await session.commit(withDrift(session, current, "the target refuses it"));
    return "unusable";
  }
  const record = withDrift(session, current, "it logs in and was adopted");
  const slot = promote(slotOf(record, credential.account), current.ref, current.createdAt);
  const taken: TargetRecord = {
    ...record,
    slots: withSlot(record.slots, slot),
    active: credential.account,
    published: current.ref,
  };
  // It is as good as a rotation, unless one is under way or waits to be repeated.
  const isPlanned = record.rotation !== undefined || record.again !== undefined;
  await session.commit(isPlanned ? taken : withDue(taken, session.target, session.now()));
  return "taken over";
}

/** A retried write leaves two equal versions of ours; those are not drift. */
async function isForeign(
  session: Session,
  current: StoredSecret | "disabled",
  rotationId: string | undefined,
): Promise<boolean> {
  const known = session.record().published;
  if (current === "disabled") return known !== undefined;
  if (sameVersion(current.ref, known)) return false;
  if (rotationId !== undefined && current.tags["keyturn-rotation"] === rotationId) return false;
  return !(await knownValueIs(session, current));
}

/** The version we know may be out of reach by now; then a newer one is somebody else's for all we know. */
async function knownValueIs(session: Session, current: StoredSecret): Promise<boolean> {
  const known = session.record().published;
  if (!known) return false;
  try {
    const ours = await readVersion(session, known);
    return typeof ours !== "string" && ours.value.equals(current.value);
  } catch (error) {
    rethrowUnlessExpected(error);
    return false;
  }
}

function withDrift(
  session: Session,
  current: StoredSecret | "disabled",
  detail: string,
): TargetRecord {
  const { target } = session;
  const record = session.record();
  const known = record.published?.version ?? "";
  const version = current === "disabled" ? `disabled after ${known}` : current.ref.version;
  session.emit({
    type: "drift",
    detail,
    ...(current !== "disabled" && { version: current.ref }),
  });
  const data = { secret: target.publish.name, version, detail };
  // Keyed by version and not by time, so that a receiver can tell what it has heard before.
  return notify(record, "drift.found", session.now(), data, version);
}
