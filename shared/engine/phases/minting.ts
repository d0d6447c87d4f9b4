import { VaultUnavailableError } from "../../core/errors.ts";
import { isPaused } from "../../core/lifecycle/decide.ts";
import { describeFindings } from "../../core/looks/findings.ts";
import { findValidUntil } from "../../core/policy/due/schedule.ts";
import type { GivenSecret } from "../../core/record/given.ts";
import type { Rotation, TargetRecord } from "../../core/record/record.ts";
import { withoutHold } from "../../core/record/rotation.ts";
import {
  abandon,
  chooseAccount,
  findSlot,
  listAbandoned,
  promote,
  withSecretIds,
  withSlot,
  withUnsettled,
} from "../../core/record/slots.ts";
import { type Credential, Secret } from "../../core/secrets/secret.ts";
import { isSameVersion, toPendingName } from "../../core/target.ts";
import { between, type Instant, minute, plus } from "../../core/time.ts";
import type { Minted } from "../../rotators/rotator.ts";
import type { StoredSecret, Unreadable } from "../../vaults/vault.ts";
import { askOwner, mintSecret } from "../calls/mint.ts";
import { logsIn } from "../calls/reach.ts";
import { readCredential, readCurrent, toCredential } from "../calls/stored.ts";
import { takeRoomForBoth, takeRoomToPublish } from "../fleet/room.ts";
import { recallPending } from "../looks/credentials.ts";
import { syncPublished } from "../looks/drift.ts";
import { readOtherAuthority } from "../looks/other-authority.ts";
import { type Cleared, lookBeforeChange } from "../looks/preflight.ts";
import { issueProof } from "../looks/proof.ts";
import {
  announced,
  type NoneOpen,
  requireNoneOpen,
  requireSettled,
  UnsettledError,
} from "../looks/settled.ts";
import type { TargetSession } from "../session.ts";
import { findPendingLive, handleLostPending } from "./applying.ts";
import { findGivenLive, requireRightToApply } from "./given.ts";
import { getPropagation, isPropagatingNow } from "./propagation.ts";
import { requireRoom, storePending } from "./publication.ts";
import { type Advance, GoBackError, NotYetPropagatedError, PausedError } from "./step.ts";

/**
 * The order of effects of a system that creates its secrets (docs/explanation/minting.md): the secret is stored as soon as it exists, and
 * nobody reads it before it was proven. Until then, nothing that consumers use was changed.
 */

/** Milliseconds between the two proofs of a secret, where one is not enough. */
const secondProofMs = minute;

/** Longer than any secret that a system creates, and than its id. */
const longest = { secret: new Secret("-".repeat(512)), secretId: "-".repeat(128) };

/** The step `staging`: chooses the account. An earlier pending version of the rotation was lost, or refused. */
export async function stageMint(session: TargetSession, rotation: Rotation): Promise<Advance> {
  const published = await syncPublished(session);
  const current = published.is === "nothing" ? "absent" : published.stored;
  session.stage(withOwnPublished(session, withoutPending(session.record(), rotation), current));
  const account = chooseAccount(session.target, session.record());
  await takeRoomForBoth(session);
  await requireRoom(session, rotation.id, { account, ...longest }, current);
  return { to: "applying", learnt: { account, changeBegan: false } };
}

/** The record whose rotation has no pending version any more. It stays known, because it may still be the secret of its account. */
function withoutPending(record: TargetRecord, { account, pending }: Rotation): TargetRecord {
  if (!record.rotation || !pending) return record;
  const {
    pending: _p,
    confirmedAt: _c,
    outcomeInDoubt: _o,
    provesTwice,
    ...rest
  } = record.rotation;
  return {
    ...record,
    slots: withSlot(record.slots, abandon(findSlot(record, account), pending)),
    rotation: { ...rest, ...(provesTwice && { provesTwice: {} }) },
  };
}

/** The record that knows the version which this rotation published before it started over: consumers read it, so its account must stay. */
function withOwnPublished(
  { target }: TargetSession,
  record: TargetRecord,
  current: StoredSecret | Unreadable,
): TargetRecord {
  if (typeof current === "string" || isSameVersion(current.ref, record.published)) return record;
  const { "keyturn-rotation": id, "keyturn-account": account = "" } = current.tags;
  const isOwn = id === record.rotation?.id && target.slots.some((slot) => slot.account === account);
  if (!isOwn) return record;
  const slot = promote(findSlot(record, account), current.ref, current.createdAt);
  return {
    ...record,
    active: account,
    published: current.ref,
    slots: withSlot(record.slots, slot),
  };
}

/** The step `applying`: lets the system create the secret, stores it, and proves it by a log-in. */
export async function minting(session: TargetSession, rotation: Rotation): Promise<Advance> {
  if (rotation.given) return publishGiven(session, rotation, rotation.given);
  if (rotation.pending) return provePending(session, rotation);
  const stored = await findStored(session, rotation);
  if (stored) return provePending(session, stored);
  await takeRoomToPublish(session);
  const cleared = await lookBeforeChange(session, rotation);
  if (cleared === "other turn") return { to: "staging" };
  const { using, usingRef: ref } = cleared;
  const open = await requireSettled(session, rotation.account, { using, ref });
  const spare = await findSpare(session, rotation, cleared);
  const spared = spare && ({ is: "created", credential: spare, since: undefined } as const);
  return mintAndProve(session, cleared, spared ?? open);
}

/**
 * The account's present secret, if consumers have none that works: to create another one would take the last one away before the next is
 * stored. Not one that somebody has seen.
 */
async function findSpare(
  session: TargetSession,
  { account }: Rotation,
  { isServing, live }: Cleared,
): Promise<Credential | undefined> {
  const { exposedVersions = [] } = session.record();
  if (isServing || !live || exposedVersions.includes(live.version)) return undefined;
  return readCredential(session, live, [account]);
}

/** The tag that says which announced request created a pending secret. */
const requestTag = "keyturn-requested-at";

/**
 * The rotation with a pending version that an earlier worker stored and could not write to the journal. The answer to its request had come,
 * so this request is over; a later one may be open.
 */
async function findStored(
  session: TargetSession,
  { id, account }: Rotation,
): Promise<Rotation | undefined> {
  const record = session.record();
  const slot = findSlot(record, account);
  if (!record.rotation || !slot.unsettled) return undefined;
  const stored = await readCurrent(session, toPendingName(session.target));
  if (typeof stored === "string" || stored.tags["keyturn-rotation"] !== id) return undefined;
  if (stored.tags[requestTag] !== slot.unsettled.since) return undefined;
  const credential = toCredential(session, stored, [account]);
  const isTried = listAbandoned(slot).some((one) => isSameVersion(one, stored.ref));
  if (!credential || isTried) return undefined;
  const settled = withSecretIds(withUnsettled(slot, undefined), [credential.secretId]);
  const rotation = { ...record.rotation, pending: stored.ref, confirmedAt: stored.createdAt };
  await session.commit({ ...record, slots: withSlot(record.slots, settled), rotation });
  return rotation;
}

/** An imported or previous secret can only be published: nobody can set it. */
async function publishGiven(
  session: TargetSession,
  rotation: Rotation,
  given: GivenSecret,
): Promise<Advance> {
  await requireNoneOpen(session, rotation.account);
  const live = rotation.changeBegan
    ? await findPendingLive(session, rotation)
    : await findGivenLive(session, rotation, given);
  if (live && live !== "not live") return live;
  requireRightToApply(session, rotation);
  throw new RangeError(`target ${session.target.id} cannot set a secret that somebody gives`);
}

/** Logs in with the secret that the system has created. */
async function provePending(session: TargetSession, rotation: Rotation): Promise<Advance> {
  const { account, confirmedAt } = rotation;
  const pending = await recallPending(session, rotation);
  if (!pending) return handleLostPending(session, rotation);
  const isPropagating = isPropagatingNow(session, confirmedAt);
  if (await logsIn(session, { ...pending, isPropagating })) return afterLogIn(session);
  if (isPropagating && (await mayStillSpread(session, rotation, pending.credential))) {
    throw new NotYetPropagatedError(
      `the system has created a secret of ${account}, but does not accept log-ins with it yet`,
    );
  }
  throw new GoBackError(
    "staging",
    `the system refuses the secret of ${account} that it created; the rotation lets it create another one`,
  );
}

/** Milliseconds after which a list that does not have the new secret is no longer an old one. */
const listedMs = 5 * minute;

/** Whether the refused secret may be on its way to all servers. Not if somebody has replaced it meanwhile. */
async function mayStillSpread(
  session: TargetSession,
  { account, confirmedAt }: Rotation,
  { secret }: Credential,
): Promise<boolean> {
  const { ports, target } = session;
  const isYoung = confirmedAt === undefined || between(confirmedAt, session.now()) < listedMs;
  const authority = await readOtherAuthority(session);
  if (isYoung || !authority || !ports.rotator(target.type).findOwner) return true;
  const accounts = target.slots.map((slot) => slot.account);
  return (await askOwner(session, { secret, accounts }, authority)) === account;
}

/** The pending secret has just logged in. */
async function afterLogIn(session: TargetSession): Promise<Advance> {
  const record = session.record();
  const { rotation } = record;
  const now = session.now();
  if (rotation?.provesTwice) {
    const { firstAt = now } = rotation.provesTwice;
    if (between(firstAt, now) < secondProofMs) {
      await session.commit({ ...record, rotation: { ...rotation, provesTwice: { firstAt } } });
      throw new UnsettledError(
        `the new secret of ${rotation.account} has logged in once. It must log in again after a minute before it is published`,
        plus(firstAt, secondProofMs),
      );
    }
  }
  issueProof(session, "pending");
  return { to: "publishing", learnt: { changeBegan: true } };
}

/**
 * One log-in is not enough if an earlier request might have been open, or if the system spreads a secret over servers of which some may
 * not have it yet: consumers can wait, because the published secret works meanwhile.
 */
async function mintAndProve(
  session: TargetSession,
  cleared: Cleared,
  open: NoneOpen,
): Promise<Advance> {
  const before = session.record().rotation;
  if (!before) throw new RangeError(`target ${session.target.id} has no open rotation`);
  const { account } = before;
  const detail = describeFindings(cleared.findings);
  session.emit({ type: "looked", rotationId: before.id, account, detail });
  const isDoubtful = open.is !== "certain" || getPropagation(session) > 0;
  const rotation = isDoubtful ? { ...before, provesTwice: {} } : before;
  session.stage({ ...session.record(), rotation: withoutHold(rotation) });
  const { minted, since } =
    open.is === "created"
      ? { minted: { credential: open.credential }, since: open.since }
      : await announced(session, account, async (isInTime, at) => ({
          minted: await mint(session, cleared, isInTime),
          since: at,
        }));
  session.emit({ type: "applied", rotationId: before.id, account });
  await storeMinted(session, minted, since);
  return provePending(session, session.record().rotation ?? before);
}

async function mint(
  session: TargetSession,
  cleared: Cleared,
  isInTime: () => boolean,
): Promise<Minted> {
  const { target } = session;
  const record = session.record();
  const { rotation } = record;
  if (!rotation) throw new RangeError(`target ${target.id} has no open rotation`);
  if (isPaused(record, rotation, session.now())) {
    throw new PausedError("the target was paused before a secret was created");
  }
  const { account, id: rotationId } = rotation;
  const current = await requireUnchanged(session, cleared.current);
  const accounts = target.slots.map((slot) => slot.account);
  const published = current && toCredential(session, current, accounts);
  const validUntil = findValidUntil(target, session.now());
  const wanted = {
    ...{ account, rotationId, isInTime, storedIds: findSlot(record, account).secretIds ?? [] },
    ...(current && { publishedText: current.value }),
    ...(published && { published }),
    ...(validUntil !== undefined && { validUntil }),
  };
  const { using, usingRef: ref, proof } = cleared;
  return mintSecret(session, wanted, { using, ref }, proof);
}

/** Reads what consumers read once more, because somebody may have published another secret since it was checked. */
export async function requireUnchanged(
  session: TargetSession,
  checked: StoredSecret | Unreadable | undefined,
): Promise<StoredSecret | undefined> {
  const current = await readCurrent(session, session.target.publish);
  const known = typeof checked === "object" ? checked : undefined;
  const now = typeof current === "object" ? current : undefined;
  if (isSameVersion(known?.ref, now?.ref)) return now;
  const { name } = session.target.publish;
  throw new VaultUnavailableError(
    `somebody wrote another version of ${name} a moment ago, so Keyturn checks it first`,
  );
}

/** Stores the secret, and writes where it is. If the vault is away, the secret is lost, and the next try creates another one. */
async function storeMinted(
  session: TargetSession,
  { credential, publishedId }: Minted,
  since: Instant | undefined,
): Promise<void> {
  const open = session.record().rotation;
  if (!open) throw new RangeError(`target ${session.target.id} has no open rotation`);
  try {
    const tags = since === undefined ? {} : { [requestTag]: since };
    const pending = await storePending(session, open.id, credential, tags);
    const record = session.record();
    const slot = withSecretIds(findSlot(record, open.account), [credential.secretId, publishedId]);
    const rotation = { ...(record.rotation ?? open), pending, confirmedAt: session.now() };
    await session.commit({ ...record, slots: withSlot(record.slots, slot), rotation });
  } catch (error) {
    if (error instanceof VaultUnavailableError) await session.flush();
    throw error;
  }
}
