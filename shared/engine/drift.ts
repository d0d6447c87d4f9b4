import { notify } from "../core/progress.ts";
import type { TargetRecord } from "../core/rotation.ts";
import { promote, slotOf, withSlot } from "../core/slots.ts";
import { sameVersion } from "../core/target.ts";
import type { StoredSecret, Unreadable } from "../vaults/vault.ts";
import { credentialIn, logsIn, readCurrent, readVersion } from "./reach.ts";
import type { Session } from "./session.ts";

/** Somebody else wrote what consumers read. Told once for each version. */
export async function reportForeignVersion(
  session: Session,
  current: StoredSecret | Unreadable,
  rotationId: string,
): Promise<void> {
  if (current === "absent" || !(await isForeign(session, current, rotationId))) return;
  await session.commit(withDrift(session, current, "replaced by the rotation that is under way"));
}

/**
 * Before a rotation begins: is the published version still the one we know? One that somebody else wrote and that
 * logs in is taken over as the account's secret; anything else is only told.
 */
export async function takeOverDrift(session: Session): Promise<void> {
  const current = await readCurrent(session, session.target.publish);
  if (current === "absent" || !(await isForeign(session, current, undefined))) return;
  const accounts = session.target.slots.map((slot) => slot.account);
  const credential = current === "disabled" ? undefined : credentialIn(session, current, accounts);
  if (current === "disabled" || !credential) {
    await session.commit(withDrift(session, current, "not readable as a credential of the target"));
  } else if (await logsIn(session, credential)) {
    const record = withDrift(session, current, "it logs in and was adopted");
    const slot = promote(slotOf(record, credential.account), current.ref, current.createdAt);
    await session.commit({
      ...record,
      slots: withSlot(record.slots, slot),
      active: credential.account,
      published: current.ref,
    });
  } else {
    await session.commit(withDrift(session, current, "the target refuses it"));
  }
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
  const ours = known && (await readVersion(session, known));
  return !(ours && typeof ours !== "string" && ours.value.equals(current.value));
}

function withDrift(
  session: Session,
  current: StoredSecret | "disabled",
  detail: string,
): TargetRecord {
  const { target } = session;
  const record = session.record();
  const version = current === "disabled" ? "disabled" : current.ref.version;
  session.emit({
    type: "drift",
    detail,
    ...(current !== "disabled" && { version: current.ref }),
  });
  const data = { secret: target.publish.name, version, detail };
  // Keyed by version and not by time, so that seeing it twice is told once.
  return notify(record, "drift.found", session.now(), data, version);
}
