import {
  OperationOpenError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { withCheck } from "../../core/record/check.ts";
import type { TargetRecord, Unsettled } from "../../core/record/record.ts";
import { findSlot, withSlot, withUnsettled } from "../../core/record/slots.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import {
  between,
  clockToleranceMs,
  findEarliest,
  type Instant,
  minute,
  plus,
} from "../../core/time.ts";
import { askSettled } from "../calls/mint.ts";
import { readCredential } from "../calls/stored.ts";
import type { TargetSession } from "../session.ts";
import type { Authority } from "./authority.ts";
import { readOtherAuthority } from "./other-authority.ts";

/** An earlier request to replace the secret of an account may still take effect. Nothing was sent: Keyturn waits until it is over. */
export class UnsettledError extends TargetUnavailableError {
  readonly until: Instant;

  constructor(message: string, until: Instant) {
    super(message);
    this.until = until;
  }
}

/** Milliseconds between two questions whether the request is over. */
const askEveryMs = minute;

/** Milliseconds after its announcement in which a request is sent. A worker that was suspended for longer sends nothing. */
const sendWithinMs = 2 * minute;

/**
 * Why no request of the account is open. `certain`: none was, or it had no effect. `created`: it has created this secret. `waited`: so much
 * time has passed that it should be over.
 */
export type NoneOpen =
  | { readonly is: "certain" | "waited" }
  | {
      readonly is: "created";
      readonly credential: Credential;
      /** When the request was announced. Undefined: nothing was requested. */
      readonly since: Instant | undefined;
    };

/** Requires that no earlier request to replace the secret of the account is open. Throws UnsettledError. */
export async function requireSettled(
  session: TargetSession,
  account: string,
  authority: Authority,
): Promise<NoneOpen> {
  const settleTime = findSettleTime(session);
  const { unsettled } = findSlot(session.record(), account);
  if (!unsettled || settleTime === 0) return { is: "certain" };
  const since = await sinceWhen(session, account, unsettled);
  const end = plus(since, settleTime);
  const sentAgo = between(since, session.now());
  const superseded = await readKnown(session, account);
  const sent = { account, ...unsettled, sentAgo, ...(superseded && { superseded }) };
  const settled = await askSettled(session, sent, authority);
  if (typeof settled === "object") {
    // Somebody else may have created it, and the request may still be open. If it takes effect, consumers are refused.
    const why = `a request whose answer was lost might have replaced the secret of ${account}`;
    session.stage(withCheck(withMark(session, account, undefined), why, end));
    return { is: "created", credential: settled, since: unsettled.since };
  }
  if (settled === "unknown" && session.now() < end) {
    const next = plus(session.now(), askEveryMs);
    throw new UnsettledError(
      `the answer to the request of ${since} to replace the secret of ${account} was lost. ` +
        `It may still take effect, so Keyturn waits until ${end} at the latest`,
      findEarliest(end, next) ?? end,
    );
  }
  session.stage(withMark(session, account, undefined));
  return { is: settled === "unknown" ? "waited" : "certain" };
}

/** The secret that the account had before the request, as far as the journal knows. */
async function readKnown(session: TargetSession, account: string): Promise<Credential | undefined> {
  const { current, previous } = findSlot(session.record(), account);
  const ref = current ?? previous;
  return ref && readCredential(session, ref, [account]);
}

/** The same, where nothing is announced now: a retirement whose answer was lost would replace the secret after it is published. */
export async function requireNoneOpen(session: TargetSession, account: string): Promise<void> {
  if (!findSlot(session.record(), account).unsettled) return;
  const authority = await readOtherAuthority(session);
  if (authority) await requireSettled(session, account, authority);
}

/** Milliseconds for which a request whose answer was lost may take effect. */
function findSettleTime({ ports, target }: TargetSession): number {
  return ports.rotator(target.type).findSettleTime?.(target.options) ?? 0;
}

/** Until when a request whose answer was lost may still replace the secret of the account. */
export function findUnsettledEnd(session: TargetSession, account: string): Instant | undefined {
  const { unsettled } = findSlot(session.record(), account);
  const end = unsettled && plus(unsettled.since, findSettleTime(session));
  return end !== undefined && end > session.now() ? end : undefined;
}

/** An announcement from the future was made with a wrong clock: the wait begins now. */
async function sinceWhen(
  session: TargetSession,
  account: string,
  unsettled: Unsettled,
): Promise<Instant> {
  const now = session.now();
  if (between(now, unsettled.since) <= clockToleranceMs) return unsettled.since;
  await session.commit(withMark(session, account, { ...unsettled, since: now }));
  return now;
}

function withMark(
  session: TargetSession,
  account: string,
  unsettled: Unsettled | undefined,
): TargetRecord {
  const record = session.record();
  const slot = withUnsettled(findSlot(record, account), unsettled);
  return { ...record, slots: withSlot(record.slots, slot) };
}

/** Whether a request that was announced at `since` may still be sent. */
export const makeTimeLimit =
  (session: TargetSession, since: Instant): (() => boolean) =>
  () =>
    between(since, session.now()) <= sendWithinMs;

/**
 * Announces a request that replaces the secret of the account, and makes it. The announcement stays while the result is unknown. After
 * any other answer nothing is under way; the journal learns that with the next write.
 */
export async function announced<Result>(
  session: TargetSession,
  account: string,
  send: (isInTime: () => boolean, since: Instant) => Promise<Result>,
): Promise<Result> {
  const since = session.now();
  await session.commit(withMark(session, account, { since }));
  try {
    const result = await send(makeTimeLimit(session, since), since);
    session.stage(withMark(session, account, undefined));
    return result;
  } catch (error) {
    const isOpen = error instanceof OutcomeUnknownError;
    const begun = error instanceof OperationOpenError ? { operation: error.operation } : {};
    session.stage(withMark(session, account, isOpen ? { since, ...begun } : undefined));
    throw error;
  }
}
