import { LeaseLostError } from "../../core/errors.ts";
import { findWakeTime, isClaimed } from "../../core/lifecycle/decide.ts";
import { mustYield, withDoubt } from "../../core/lifecycle/doubt.ts";
import { withPublishedProven } from "../../core/lifecycle/progress.ts";
import {
  findReasonNotToGuess,
  type Subject,
  toAccepted,
  toRejected,
  toUnreachable,
  toUnreadable,
  type Verified,
} from "../../core/looks/verified.ts";
import { type TargetRecord } from "../../core/record/record.ts";
import { newRecord } from "../../core/record/rotation.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import { logsIn } from "../calls/reach.ts";
import { readCurrent, toCredential } from "../calls/stored.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import type { StoredCredential } from "../looks/credentials.ts";
import { isForeign } from "../looks/drift.ts";
import type { Ports } from "../ports.ts";
import { openSession, type TargetSession } from "../session.ts";
import { type Busy, busyWith, inUrgentTurn, retryWhileBusy } from "./busy.ts";

interface Answered {
  readonly answer: Verified | Busy;
  /** When the target is due, if this call wrote to its record. */
  readonly wakeAt?: Instant | undefined;
}

/**
 * Logs in with the published secret under a claim of its own, and changes nothing on the target or in the vault. The claim makes callers
 * and workers guess one after the other, so that together they stay within the budget of wrong guesses, which is in the record. A refused
 * or foreign version is not handled here: a check that is due at once does that.
 */
export function verifyPublished(ports: Ports, target: Target): Promise<Answered> {
  const isBusy = ({ answer }: Answered) => "busy" in answer;
  return retryWhileBusy(ports, () => tryToVerify(ports, target), isBusy);
}

async function tryToVerify(ports: Ports, target: Target): Promise<Answered> {
  const found = await ports.journal.read(target.id);
  const record = found?.record ?? newRecord(target.id);
  const now = toInstant(ports.journal.now());
  const isFree = !isClaimed(record, now) && !mustYield(record, now);
  const session = openSession(ports, target, ports.newId(), { record, etag: found?.etag });
  try {
    const answer = await verify(session, isFree);
    if (!session.hasClaim()) return { answer };
    return { answer, wakeAt: findWakeTime(session.record(), session.now()) };
  } catch (error) {
    if (error instanceof LeaseLostError) return { answer: busyWith(target) };
    throw error;
  }
}

/** Writes nothing unless `isFree`: another worker has the claim, or goes first. */
async function verify(session: TargetSession, isFree: boolean): Promise<Verified | Busy> {
  const published = await readPublished(session, isFree);
  if ("result" in published) return published;
  const refused = findReasonNotToGuess(session.refusals(), published.subject, session.now());
  if (refused) return refused;
  if (!isFree) return busyWith(session.target);
  return inUrgentTurn(session, () => guess(session, published));
}

interface Found extends StoredCredential {
  readonly subject: Subject;
  readonly isForeign: boolean;
}

/** Reads what consumers read. Without a credential, returns the answer. */
async function readPublished(session: TargetSession, isFree: boolean): Promise<Found | Verified> {
  const { target } = session;
  try {
    const stored = await readCurrent(session, target.publish);
    const accounts = target.slots.map(({ account }) => account);
    const credential =
      typeof stored === "string" ? undefined : toCredential(session, stored, accounts);
    if (typeof stored === "string" || !credential) {
      const [is, ref] =
        typeof stored === "string" ? [stored] : (["no credential", stored.ref] as const);
      await doubt(session, unreadableWhy, isFree && session.record().published !== undefined);
      return toUnreadable(target, is, session.now(), ref);
    }
    const { ref } = stored;
    const foreign = await isForeign(session, stored, session.record().rotation?.id);
    return {
      ...{ credential, ref, isForeign: foreign },
      subject: { account: credential.account, ref },
    };
  } catch (error) {
    rethrowUnlessExpected(error);
    return toUnreachable(target, toFailure(session, error).message, session.now());
  }
}

const unreadableWhy = "the published secret could not be read when a person or program asked";
const rejectedWhy = "the target refused the published secret when a person or program asked";
const foreignWhy = "the published secret was written by hand";

/** Makes one log-in. A refusal is in the journal before the caller has the answer. */
async function guess(session: TargetSession, found: Found): Promise<Verified> {
  const { subject } = found;
  try {
    const isAccepted = await logsIn(session, { ...found, isSearch: true });
    return isAccepted ? await onAccepted(session, found) : await onRejected(session, subject);
  } catch (error) {
    rethrowUnlessExpected(error);
    if (session.hasClaim()) await session.release();
    return toUnreachable(session.target, toFailure(session, error).message, session.now(), subject);
  }
}

async function onAccepted(
  session: TargetSession,
  { subject, isForeign: foreign }: Found,
): Promise<Verified> {
  const at = session.now();
  if (foreign) await doubt(session, foreignWhy);
  else {
    session.noteVerified();
    session.stage(withPublishedProven(session.record()));
    await session.release();
  }
  session.emit({ type: "checked-published", detail: "on request: the published secret logs in" });
  return toAccepted(subject, foreign && session.record().adoptedAt !== undefined, at);
}

async function onRejected(session: TargetSession, subject: Subject): Promise<Verified> {
  await doubt(session, rejectedWhy);
  const detail = "on request: the target refuses the published secret";
  session.emit({ type: "checked-published", detail });
  return toRejected(subject, session.record(), session.now());
}

/** Releases the target with a check that is due now. Without a claim, and with nothing to schedule, writes nothing. */
async function doubt(session: TargetSession, why: string, isKnown = true): Promise<void> {
  const before: TargetRecord = session.record();
  const record = isKnown ? withDoubt(before, why, session.now()) : before;
  if (record === before && !session.hasClaim()) return;
  session.stage(record);
  await session.release();
}
