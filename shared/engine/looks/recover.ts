import { AccountBlockedError } from "../../core/errors.ts";
import { isUrgent } from "../../core/lifecycle/awaited.ts";
import { handoverMs, withoutGraceHolds } from "../../core/lifecycle/grace-hold.ts";
import { notify } from "../../core/lifecycle/notifications.ts";
import { withRefresh } from "../../core/lifecycle/refresh.ts";
import { acceptRequest } from "../../core/lifecycle/request.ts";
import { maxThrottledMs } from "../../core/lifecycle/throttling.ts";
import { withCheck } from "../../core/record/check.ts";
import { withExposedCopies } from "../../core/record/exposed-versions.ts";
import { type RunRecord } from "../../core/record/history.ts";
import {
  type Failure,
  keyturn,
  type Notification,
  type Rotation,
  type TargetRecord,
} from "../../core/record/record.ts";
import {
  findSlot,
  listAbandoned,
  listSlotCandidates,
  withSame,
  withSlot,
} from "../../core/record/slots.ts";
import { isSameVersion, type VersionRef } from "../../core/target.ts";
import { between, type Instant, plus } from "../../core/time.ts";
import type { StoredSecret } from "../../vaults/vault.ts";
import { readCredential } from "../calls/stored.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { makePublication, publish } from "../phases/publication.ts";
import { refreshPending } from "../phases/refresh.ts";
import type { TargetSession } from "../session.ts";
import { readOthers, stillLogsIn, type StoredCredential } from "./credentials.ts";
import { GuessPauseError } from "./guess-pause.ts";
import type { Broken } from "./look.ts";
import { noteEnd } from "./secret-end.ts";
import { findUnsettledEnd } from "./settled.ts";

/**
 * When the published secret does not log in, publishes again a stored credential of the target that does, unless somebody wrote
 * the published version within the last minutes. Returns whether it did.
 */
export async function restorePublished(session: TargetSession, checked: Broken): Promise<boolean> {
  if (checked.is !== "refused" || isFresh(session, checked)) return false;
  const healthy = await findHealthy(session, checked);
  if (!healthy) return false;
  const { account } = healthy.credential;
  const id = session.record().rotation?.id ?? session.ports.newId();
  const publication = makePublication(
    session,
    `${id}-restored`,
    healthy.credential,
    checked.stored,
  );
  const restored = await publish(session, id, publication);
  const record = session.record();
  const before = findSlot(record, account);
  const slot = withSame({ ...before, current: restored }, before, healthy.ref.version);
  const message = `The target refused the published secret ${restored.name}. Keyturn published the working secret of ${account} again.`;
  const { refusedSince: _, ...rest } = record;
  const served: TargetRecord = {
    ...rest,
    active: account,
    published: restored,
    slots: withSlot(record.slots, slot),
    // Nobody has heard yet that consumers are refused, and now they are not.
    outbox: rest.outbox.filter((one) => one.toldTo !== undefined || !isBrokenAlarm(one)),
  };
  const news = { published: restored, rotationId: id };
  const known = withRefresh(withExposedCopies(served), session.target, news, session.now());
  await session.commit(withAlarm(known, "published-restored", message, { at: session.now() }));
  session.emit({ type: "restored", rotationId: id, account, version: restored });
  await refreshPending(session);
  await noteEnd(session, { ref: restored, credential: healthy.credential });
  return true;
}

function isFresh(session: TargetSession, { stored }: Extract<Broken, { is: "refused" }>): boolean {
  const isOurs = stored.tags["keyturn-target"] === session.target.id;
  return !isOurs && between(stored.createdAt, session.now()) < handoverMs;
}

/**
 * Finds a stored credential of the target that logs in. Tries the account published last, then the other account, then versions that
 * the journal does not know.
 */
async function findHealthy(
  session: TargetSession,
  { stored }: Extract<Broken, { is: "refused" }>,
): Promise<StoredCredential | undefined> {
  const known = await readNewest(session, stored.ref);
  return (
    (await findLogIn(session, known)) ??
    (await findLogIn(
      session,
      await readOthers(session, [stored.ref, ...known.map(({ ref }) => ref)]),
    ))
  );
}

/** Skips an account that is blocked or must pause between guesses: a restore only helps until the rotation, which fixes the problem. */
async function findLogIn(
  session: TargetSession,
  found: readonly StoredCredential[],
): Promise<StoredCredential | undefined> {
  for (const live of found) {
    // A late request would replace the secret after it is published.
    if (findUnsettledEnd(session, live.credential.account) !== undefined) continue;
    try {
      if (await stillLogsIn(session, { ...live, isSearch: true })) return live;
    } catch (error) {
      const isOnlyThis = error instanceof GuessPauseError || error instanceof AccountBlockedError;
      if (!isOnlyThis) throw error;
    }
  }
  return undefined;
}

/** Reads the newest credential of each account that the journal knows, except the refused one. */
async function readNewest(
  session: TargetSession,
  refused: VersionRef,
): Promise<StoredCredential[]> {
  const { active } = session.record();
  const accounts = session.target.slots.map((slot) => slot.account);
  const inOrder = [...accounts].sort((a, b) => Number(b === active) - Number(a === active));
  const found: StoredCredential[] = [];
  for (const account of inOrder) {
    for (const ref of listNewest(session, account)) {
      if (isSameVersion(ref, refused)) continue;
      const credential = await readCredential(session, ref, [account]);
      if (credential) found.push({ credential, ref });
    }
  }
  return found;
}

/** The version that the account most likely has. A secret that the system created and that was never published may be the latest. */
function listNewest(session: TargetSession, account: string): readonly VersionRef[] {
  const { target } = session;
  const slot = findSlot(session.record(), account);
  const [newest] = listSlotCandidates(slot, undefined);
  const created = target.origin === "system" ? listAbandoned(slot) : [];
  return [...created, ...(newest ? [newest] : [])];
}

/**
 * When the published secret does not work, requests a rotation if the target refuses the secret, and publishes a working secret again,
 * if there is one. A target that only people rotate is only reported.
 */
export async function recover(
  session: TargetSession,
  checked: Broken,
  failure: Failure,
): Promise<void> {
  const isNews = session.record().lastFailure?.message !== failure.message;
  const failing: TargetRecord = {
    ...session.record(),
    health: "failing",
    lastFailure: failure,
  };
  if (checked.is === "refused" && isFresh(session, checked)) {
    await session.commit(withCheckAfterHandover(failing, checked.stored));
    return;
  }
  const free = withoutGraceHolds(failing, session.now());
  const alarmed = isNews ? withAlarm(free, "published-broken", failure.message, failure) : free;
  const { record, runs } =
    checked.is === "refused" ? withCureRequested(session, alarmed) : { record: alarmed, runs: [] };
  await session.commit(record, runs);
  try {
    await restorePublished(session, checked);
  } catch (error) {
    rethrowUnlessExpected(error);
    const about = { failure: toFailure(session, error), detail: "restore the published secret" };
    session.emit({ type: "attempt-failed", ...about });
  }
}

/** Schedules a check: an operator may be changing the credential by hand, so do not replace it before the time allowed for that. */
function withCheckAfterHandover(record: TargetRecord, { createdAt }: StoredSecret): TargetRecord {
  const at = plus(createdAt, handoverMs);
  const why = "the published secret was written by hand, and the target refuses it";
  return withCheck(record, why, at);
}

const isBrokenAlarm = ({ type, data }: Notification): boolean =>
  type === "alarm" && data["kind"] === "published-broken";

function withAlarm(
  record: TargetRecord,
  kind: string,
  message: string,
  { at }: Pick<Failure, "at">,
): TargetRecord {
  return notify(record, { type: "alarm", at, data: { kind, message }, about: `${kind}/${at}` });
}

/** Returns the record with a rotation requested now, unless one is already open or requested. */
function withCureRequested(
  session: TargetSession,
  record: TargetRecord,
): { readonly record: TargetRecord; readonly runs: readonly RunRecord[] } {
  const { target, ports } = session;
  const isLeftToPeople = target.policy.manualOnly === true;
  const now = session.now();
  // An open rotation that waits for a window would leave consumers without a secret until then.
  const isUnderWay = record.rotation !== undefined && !isHeldForLong(record.rotation, now);
  const { request, given, again, awaited } = record;
  const isKnown = awaited !== undefined && isUrgent(awaited);
  const isPlanned =
    isUnderWay || isKnown || [request, given, again].some((one) => one !== undefined);
  if (isPlanned || isLeftToPeople) {
    return { record, runs: [] };
  }
  const intent = {
    rotationId: ports.newId(),
    reason: "drift",
    requestedBy: keyturn,
    at: now,
  } as const;
  const accepted = acceptRequest(record, intent, target, now);
  return { record: accepted.record, runs: accepted.run ? [accepted.run] : [] };
}

/** A busy vault delays a rotation for less. */
function isHeldForLong({ heldBy, nextAttemptAt = "" }: Rotation, now: Instant): boolean {
  return heldBy !== undefined && nextAttemptAt > plus(now, maxThrottledMs);
}
