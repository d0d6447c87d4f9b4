import { LeaseLostError } from "../../core/errors.ts";
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
import { newRecord } from "../../core/record/rotation.ts";
import { type SecretName, type Target, toPendingName } from "../../core/target.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import { logsIn, readCredential } from "../calls/reach.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { findAnswer, rememberAnswer, type RequestKey } from "../inbox/request-key.ts";
import type { StoredCredential } from "../looks/credentials.ts";
import type { Ports } from "../ports.ts";
import { openSession, type TargetSession } from "../session.ts";
import { type Busy, retryWhileBusy, takeUrgentTurn } from "./busy.ts";

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
 * blocked. The log-in is made under a claim, within the budget of wrong guesses.
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
  const keyed = makeKeyed(ports, input);
  const session = openSession(keyed.ports, target, ports.newId(), { record, etag: found?.etag });
  try {
    const result = await unblockUnderClaim(session, input, keyed.remember);
    if (!session.hasClaim()) return { result };
    return { result, wakeAt: findWakeTime(session.record(), session.now()) };
  } catch (error) {
    if (error instanceof LeaseLostError) return { result: busyWith(target) };
    throw error;
  }
}

const busyWith = ({ id }: Target): Busy => ({
  busy: `A worker is working on target ${id}. Nothing was tried. Try again.`,
});

/** Ports whose journal stores the answer with the key, once it is known, in the transaction of the effect. */
function makeKeyed(ports: Ports, { key }: UnblockInput) {
  let answer: Unblocked | undefined;
  const { journal } = ports;
  const commit: Ports["journal"]["commit"] = (change) =>
    journal.commit({ ...change, ...(answer && rememberAnswer(key, answer)) });
  return {
    ports: { ...ports, journal: { ...journal, commit } },
    remember: (unblocked: Unblocked) => {
      answer = unblocked;
    },
  };
}

async function unblockUnderClaim(
  session: TargetSession,
  { version, key: _, ...unblocking }: UnblockInput,
  remember: (answer: Unblocked) => void,
): Promise<UnblockResult> {
  const proven = version === undefined ? undefined : await prove(session, version);
  if (proven && !("credential" in proven)) {
    if (session.hasClaim()) await session.release();
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
  remember(answer);
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

/** Logs in with the version. Returns why it is not proven, if it is not. */
async function prove(
  session: TargetSession,
  version: string,
): Promise<StoredCredential | Refused | Busy> {
  const found = await findVersion(session, version);
  if ("refused" in found) return found;
  const { credential, ref } = found;
  const { account } = credential;
  const held = findReasonNotToGuess(session.refusals(), { account, ref }, session.now());
  if (held) return { refused: withoutPeriod(held.why) };
  const turn = await takeUrgentTurn(session);
  if ("why" in turn) return { busy: `Target ${session.target.id}: ${turn.why}. Try again.` };
  try {
    if (await logsIn(session, { credential, ref, isSearch: true })) return found;
    return {
      refused: `the target refuses version ${version} of ${ref.name} for account ${account}`,
    };
  } catch (error) {
    rethrowUnlessExpected(error);
    return { refused: toFailure(session, error).message };
  } finally {
    turn.leave();
  }
}

const withoutPeriod = (text: string): string => text.replace(/\.$/, "");

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
  try {
    for (const { vault, name } of names) {
      const ref = { vault, name, version };
      const credential = await readCredential(session, ref, accounts);
      if (credential) return { credential, ref };
    }
  } catch (error) {
    rethrowUnlessExpected(error);
    return { refused: toFailure(session, error).message };
  }
  const where = names.map(({ name }) => name).join(" and ");
  return {
    refused: `no readable version ${version} of ${where} holds a secret of ${accounts.join(" or ")}. Enable it, or name another`,
  };
}
