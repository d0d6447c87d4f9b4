import { NoLiveCredentialError } from "../../core/errors.ts";
import { findRefusal, guessWindowMs } from "../../core/looks/guesses.ts";
import {
  describeNoLiveCredential,
  type UnreadableVersion,
} from "../../core/looks/no-live-credential.ts";
import type { Rotation } from "../../core/record/record.ts";
import { findSlot, listSlotCandidates } from "../../core/record/slots.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { isSameVersion, type VersionRef } from "../../core/target.ts";
import { between, type Instant, minute } from "../../core/time.ts";
import type { StoredSecret } from "../../vaults/vault.ts";
import { type LogIn, logsIn } from "../calls/reach.ts";
import {
  listVersions,
  readCredential,
  readCurrent,
  readVersion,
  toCredential,
} from "../calls/stored.ts";
import type { TargetSession } from "../session.ts";
import { GuessPauseError } from "./guess-pause.ts";

/** A credential, and where it is stored. */
export interface StoredCredential {
  readonly credential: Credential;
  readonly ref: VersionRef;
}

/**
 * Finds the stored credential that the account has now. Tries each credential once, the most likely first, and those refused a moment
 * ago last. Stops at once when the target cannot be reached. Throws NoLiveCredentialError when none logs in. `published`: the published
 * secret, if it was read a moment ago.
 */
export async function findLiveCredential(
  session: TargetSession,
  rotation: Rotation,
  published?: StoredSecret,
): Promise<StoredCredential> {
  const { account } = rotation;
  const isAuthority = session.target.authority.as === "self";
  const refused: VersionRef[] = [];
  const unreadable: UnreadableVersion[] = [];
  for await (const ref of listCandidates(session, rotation, published)) {
    const stored = await readVersion(session, ref);
    const credential =
      typeof stored === "string" ? undefined : toCredential(session, stored, [account]);
    if (!credential) {
      const why = typeof stored === "string" ? stored : "holds no credential";
      unreadable.push({ ref, why });
    } else if (await stillLogsIn(session, { credential, ref, isSearch: true, isAuthority })) {
      return { credential, ref };
    } else {
      refused.push(ref);
    }
  }
  const { id: targetId } = session.target;
  throw new NoLiveCredentialError(
    describeNoLiveCredential({ targetId, account, refused, unreadable }),
  );
}

async function* listCandidates(
  session: TargetSession,
  { account, pending }: Rotation,
  published: StoredSecret | undefined,
): AsyncGenerator<VersionRef> {
  const newest = published ?? (await readCurrent(session, session.target.publish));
  const isTheirs = typeof newest !== "string" && toCredential(session, newest, [account]);
  const slot = findSlot(session.record(), account);
  const refs = listSlotCandidates(slot, isTheirs ? newest.ref : undefined);
  const refusedAt = ({ version }: VersionRef) =>
    findRefusal(session.refusals(), { account, version }, session.now());
  // Callers try the pending secret before this search. Once refused, it is tried again here with the others.
  const known = [
    ...refs.filter((ref) => !isSameVersion(ref, pending)),
    ...(pending && refusedAt(pending) !== undefined ? [pending] : []),
  ];
  // An account that the server does not let in for a while is let in again with the secret that worked last.
  const [likeliest] = known;
  const isAgain = likeliest !== undefined && isDueAgain(refusedAt(likeliest), session.now());
  if (isAgain) yield likeliest;
  const rest = isAgain ? known.slice(1) : known;
  const [untried, refused] = split(rest, (ref) => refusedAt(ref) === undefined);
  yield* untried;
  const others = (await readOthers(session, known))
    .filter(({ credential }) => credential.account === account)
    .map(({ ref }) => ref);
  const [othersUntried, othersRefused] = split(others, (ref) => refusedAt(ref) === undefined);
  yield* othersUntried;
  // The credential refused longest ago comes first, so that the guesses after each pause are not spent on the same ones again.
  yield* [...refused, ...othersRefused].sort((a, b) =>
    (refusedAt(a) ?? "").localeCompare(refusedAt(b) ?? ""),
  );
}

/** Whether a secret was refused so long ago that the refusal no longer counts for the pause between guesses. */
function isDueAgain(refusedAt: Instant | undefined, now: Instant): boolean {
  return refusedAt !== undefined && between(refusedAt, now) >= guessWindowMs;
}

function split<Item>(items: readonly Item[], test: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

/** Milliseconds for which a check treats a refused secret, of an account that changes itself, as still refused. */
const lookMemoryMs = 30 * minute;

/**
 * Whether the secret still logs in. A recently refused secret counts as refused while the account must pause between guesses. An account
 * that changes itself has few guesses for many stored secrets, so a check spends none on a secret that was refused within the last half
 * hour. A search tries each secret in turn.
 */
export async function stillLogsIn(session: TargetSession, live: LogIn): Promise<boolean> {
  // Do not try a secret twice in one attempt.
  if (session.hasSeenRefused(live.credential)) return false;
  const refusal = { account: live.credential.account, version: live.ref.version };
  const refusedAt = findRefusal(session.refusals(), refusal, session.now());
  const isLook = live.isSearch !== true && session.target.authority.as === "self";
  if (isLook && refusedAt && between(refusedAt, session.now()) < lookMemoryMs) return false;
  try {
    return await logsIn(session, live);
  } catch (error) {
    if (error instanceof GuessPauseError && refusedAt !== undefined) return false;
    throw error;
  }
}

/** How many of the newest versions are searched for other credentials. */
const othersWithin = 10;

/**
 * Returns credentials in the newest versions of the published secret that the journal does not know, newest first. Somebody else may have
 * written one just before Keyturn overwrote it, because Key Vault has no conditional write; or the target may have an old one again after
 * it was restored from a backup. Does not try to log in with them.
 */
export async function readOthers(
  session: TargetSession,
  known: readonly VersionRef[],
): Promise<StoredCredential[]> {
  const { target } = session;
  const accounts = target.slots.map((slot) => slot.account);
  const versions = await listVersions(session, target.publish);
  const found: StoredCredential[] = [];
  for (const { ref, enabled } of versions.slice(0, othersWithin)) {
    if (!enabled || known.some((one) => isSameVersion(one, ref))) continue;
    const credential = await readCredential(session, ref, accounts);
    if (credential) found.push({ credential, ref });
  }
  return found;
}

/** The pending credential that a session has read or stored. A version never changes. */
const pendingKnown = new WeakMap<TargetSession, StoredCredential & { readonly knownAt: Instant }>();

/** Remembers a pending secret that the session has stored. The write began at `knownAt`. */
export function rememberPending(
  session: TargetSession,
  stored: StoredCredential & { readonly knownAt: Instant },
): void {
  pendingKnown.set(session, stored);
}

/** Milliseconds for which the vault's answer to a write or a reading shows that the version can be read. */
const maxAnswerAgeMs = 5_000;

/**
 * Returns the pending secret for a change. The vault's answer to a write proves that the version is stored, so a version that this
 * session wrote or read a moment ago is not read again where another authority can set the account's password once more: the time between
 * the checks and the change stays short. An account that changes itself has no other way back, so its version is read, directly before it
 * is sent. Returns undefined when the version cannot be read.
 */
export async function findPending(
  session: TargetSession,
  rotation: Rotation,
): Promise<StoredCredential | undefined> {
  const knownAt = pendingKnown.get(session)?.knownAt;
  const isFresh = knownAt !== undefined && between(knownAt, session.now()) <= maxAnswerAgeMs;
  const isCurable = session.target.authority.as !== "self";
  return isFresh && isCurable ? recallPending(session, rotation) : readPending(session, rotation);
}

/** Reads the pending secret of the rotation. Returns undefined when its version can no longer be read. */
export async function readPending(
  session: TargetSession,
  { pending, account }: Rotation,
): Promise<StoredCredential | undefined> {
  const knownAt = session.now();
  const credential = pending && (await readCredential(session, pending, [account]));
  if (!credential) return undefined;
  const read = { credential, ref: pending };
  pendingKnown.set(session, { ...read, knownAt });
  return read;
}

/** Like `readPending`, but does not read what this session has read or stored. The version may have been disabled since. */
export async function recallPending(
  session: TargetSession,
  rotation: Rotation,
): Promise<StoredCredential | undefined> {
  const known = pendingKnown.get(session);
  const isKnown = isSameVersion(known?.ref, rotation.pending);
  return isKnown && known?.credential.account === rotation.account
    ? known
    : readPending(session, rotation);
}
