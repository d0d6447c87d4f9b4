import {
  AccountBlockedError,
  LeaseLostError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../core/errors.ts";
import { withoutPeriod } from "../../core/explanation/words.ts";
import { findWakeTime, isClaimed } from "../../core/lifecycle/decide.ts";
import type { Refused } from "../../core/lifecycle/given.ts";
import { toRunRecord } from "../../core/lifecycle/progress.ts";
import {
  findNotBlocked,
  listBlocked,
  unblock,
  type Unblocking,
  withLive,
} from "../../core/lifecycle/unblock.ts";
import { findReasonNotToGuess } from "../../core/looks/verified.ts";
import type { TargetRecord } from "../../core/record/record.ts";
import { newRecord, withoutSkip } from "../../core/record/rotation.ts";
import { type SecretName, type Target, toPendingName } from "../../core/target.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import { logsIn } from "../calls/reach.ts";
import { readCredential } from "../calls/stored.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { findAnswer, rememberAnswer, type RequestKey } from "../inbox/request-key.ts";
import type { StoredCredential } from "../looks/credentials.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import type { Ports } from "../ports.ts";
import { openSession, type TargetSession } from "../session.ts";
import { type Busy, busyWith, inUrgentTurn, retryWhileBusy } from "./busy.ts";

export interface UnblockInput extends Unblocking {
  /** The version with the secret that works. Absent: try the stored secrets again. */
  readonly version?: string;
  /** Idempotency key. A request that is repeated gets the answer of the first one. */
  readonly key?: RequestKey;
}

/** The target is no longer blocked. */
export interface Unblocked {
  /** Sentences for an operator. */
  readonly why: string;
  /** The rotation that continues. Absent when the adoption does. */
  readonly rotationId?: string;
  /** The account whose secret was proven. */
  readonly account?: string;
}

export type UnblockResult = Unblocked | Refused | Busy;

interface Ended {
  readonly result: UnblockResult;
  /** When the target is due, if this call wrote to its record. */
  readonly wakeAt?: Instant | undefined;
}

/**
 * Lets a blocked target continue. A version that a person names is proven by a log-in first; if the target refuses it, the target stays
 * blocked. The log-in is made under a claim, within the budget of wrong guesses. Throws VaultUnavailableError and
 * TargetUnavailableError when the version cannot be tried now.
 */
export function unblockTarget(ports: Ports, target: Target, input: UnblockInput): Promise<Ended> {
  const isBusy = ({ result }: Ended) => "busy" in result;
  return retryWhileBusy(ports, () => tryToUnblock(ports, target, input), isBusy);
}

async function tryToUnblock(ports: Ports, target: Target, input: UnblockInput): Promise<Ended> {
  const found = await ports.journal.read(target.id);
  // After the record: an equal request that is written in between makes this one lose the claim.
  const known = await findAnswer<Unblocked>(ports.journal, target.id, input.key);
  if (known) return { result: known };
  const record = found?.record ?? newRecord(target.id);
  if (isClaimed(record, toInstant(ports.journal.now()))) return { result: busyWith(target) };
  const obstacle = findNotBlocked(record, target);
  if (obstacle) return { result: obstacle };
  const opening = { record: withoutSkip(record), etag: found?.etag };
  const session = openSession(ports, target, ports.newId(), opening);
  try {
    const result = await unblockUnderClaim(session, input);
    if (!session.hasClaim()) return { result };
    return { result, wakeAt: findWakeTime(session.record(), session.now()) };
  } catch (error) {
    if (error instanceof LeaseLostError) return { result: busyWith(target) };
    throw error;
  }
}

async function unblockUnderClaim(
  session: TargetSession,
  { version, key, ...unblocking }: UnblockInput,
): Promise<UnblockResult> {
  const proven = version === undefined ? undefined : await prove(session, version);
  if (proven && !("credential" in proven)) {
    if (session.hasClaim()) await session.release();
    if ("outage" in proven) throw proven.outage;
    return proven;
  }
  const now = session.now();
  const record = withProven(session.record(), proven, now);
  const continued = unblock(record, unblocking, now);
  const { rotation } = continued;
  const runs = rotation
    ? [toRunRecord(rotation, { record: continued, state: "running", now })]
    : [];
  session.stage(continued, runs);
  const why = describeUnblocked(rotation?.id, proven);
  const answer: Unblocked = {
    why,
    ...(rotation && { rotationId: rotation.id }),
    ...(proven && { account: proven.credential.account }),
  };
  session.log({
    ...{ ...unblocking, action: "target.unblock", outcome: "accepted", detail: why },
    ...(rotation && { rotations: [rotation.id] }),
  });
  session.remember(rememberAnswer(key, answer));
  await session.release();
  return answer;
}

function withProven(
  record: TargetRecord,
  proven: StoredCredential | undefined,
  now: Instant,
): TargetRecord {
  return proven ? withLive(record, proven.credential.account, proven.ref, now) : record;
}

function describeUnblocked(rotationId: string | undefined, proven?: StoredCredential): string {
  const found = proven
    ? `The target accepts version ${proven.ref.version} of ${proven.ref.name} for account ${proven.credential.account}. `
    : "";
  const what = rotationId === undefined ? "The adoption" : `Rotation ${rotationId}`;
  const how = proven ? "now" : "now, and tries the stored secrets first";
  return `${found}${what} continues ${how}.`;
}

/** The vault or the server gave no answer, which says nothing about the version. */
interface Outage {
  readonly outage: Error;
}

/** Logs in with the version. Returns why it is not proven, if it is not. */
async function prove(
  session: TargetSession,
  version: string,
): Promise<StoredCredential | Refused | Busy | Outage> {
  try {
    const found = await findVersion(session, version);
    return "refused" in found ? found : await tryVersion(session, found);
  } catch (error) {
    rethrowUnlessExpected(error);
    const message = withoutPeriod(toFailure(session, error).message);
    if (error instanceof VaultUnavailableError) {
      return { outage: new VaultUnavailableError(`${message}.`) };
    }
    return isServerAway(error)
      ? { outage: new TargetUnavailableError(`${message}.`) }
      : { refused: message };
  }
}

/** Whether the server gave no answer. An obstacle that it names, or a pause between guesses, stays until somebody or time ends it. */
function isServerAway(error: unknown): boolean {
  const isOfAccount = error instanceof AccountBlockedError || error instanceof GuessPauseError;
  return error instanceof TargetUnavailableError && !isOfAccount;
}

async function tryVersion(
  session: TargetSession,
  found: StoredCredential,
): Promise<StoredCredential | Refused | Busy> {
  const { credential, ref } = found;
  const { account } = credential;
  const held = findReasonNotToGuess(session.refusals(), { account, ref }, session.now());
  if (held) return { refused: withoutPeriod(held.why) };
  return inUrgentTurn(session, async () =>
    (await logsIn(session, { credential, ref, isSearch: true }))
      ? found
      : {
          refused: `the target refuses version ${ref.version} of ${ref.name} for account ${account}`,
        },
  );
}

/** Searches the secrets in which the target's credentials are stored. The version ids of a vault are unique. */
async function findVersion(
  session: TargetSession,
  version: string,
): Promise<StoredCredential | Refused> {
  const { target } = session;
  const accounts = listBlocked(session.record(), target);
  const names: SecretName[] = [
    target.publish,
    toPendingName(target),
    ...target.slots.flatMap(({ initial }) => initial ?? []),
  ];
  for (const { vault, name } of names) {
    const ref = { vault, name, version };
    const credential = await readCredential(session, ref, accounts);
    if (credential) return { credential, ref };
  }
  const where = names.map(({ name }) => name).join(" and ");
  return {
    refused: `no readable version ${version} of ${where} holds a secret of ${accounts.join(" or ")}. Enable it, or name another`,
  };
}
