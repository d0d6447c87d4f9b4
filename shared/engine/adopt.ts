import { NoLiveCredentialError } from "../core/errors.ts";
import { policyFingerprint } from "../core/policy.ts";
import { notify, withoutDue } from "../core/progress.ts";
import { retryDelay } from "../core/retry.ts";
import type { RunRecord, SlotRecord, TargetRecord } from "../core/rotation.ts";
import { nextDue } from "../core/schedule.ts";
import { plus } from "../core/time.ts";
import type { StoredSecret } from "../vaults/vault.ts";
import { credentialIn, logsIn, readCurrent } from "./reach.ts";
import { failureOf, rethrowUnlessExpected } from "./rotate.ts";
import type { Session } from "./session.ts";

/** Takes an existing credential under management: verifies it, changes nothing. */
export async function adopt(session: Session): Promise<void> {
  try {
    const adopted = await examine(session);
    await session.commit(adopted);
    session.emit({ type: "adopted", ...(adopted.published && { version: adopted.published }) });
  } catch (error) {
    rethrowUnlessExpected(error);
    await tryAgainLater(session, error);
  }
}

async function examine(session: Session): Promise<TargetRecord> {
  const { target } = session;
  const slots = await initialSlots(session);
  const current = await readCurrent(session, target.publish);
  if (typeof current === "string") {
    requireAnotherWay(session, slots, `${target.publish.name} is ${current}`);
    return asAdopted(session, slots, undefined, undefined);
  }
  const accounts = target.slots.map((slot) => slot.account);
  const credential = credentialIn(session, current, accounts);
  if (!credential) {
    requireAnotherWay(session, slots, `${target.publish.name} holds no credential of the target`);
    return asAdopted(session, slots, undefined, undefined);
  }
  const works = await logsIn(session, credential);
  if (!works) {
    requireAnotherWay(session, slots, `the target refuses what ${target.publish.name} says`);
  }
  const found: SlotRecord = {
    account: credential.account,
    current: current.ref,
    changedAt: current.createdAt,
  };
  const others = slots.filter((slot) => slot.account !== credential.account);
  return asAdopted(session, [...others, found], current, credential.account);
}

/** An account may have a secret that is kept elsewhere than where consumers read. */
async function initialSlots(session: Session): Promise<SlotRecord[]> {
  const slots: SlotRecord[] = [];
  for (const { account, initial } of session.target.slots) {
    if (!initial) continue;
    const stored = await readCurrent(session, initial);
    if (typeof stored === "string") continue;
    const credential = credentialIn(session, stored, [account]);
    if (credential && (await logsIn(session, credential))) {
      slots.push({ account, current: stored.ref });
    }
  }
  return slots;
}

/** Accounts that change their own secret must be able to log in to begin with. */
function requireAnotherWay(session: Session, slots: SlotRecord[], why: string): void {
  if (session.target.authority.as !== "self" || slots.length > 0) return;
  throw new NoLiveCredentialError(
    `${why}, and the account can only be changed by itself: store its present secret there`,
  );
}

function asAdopted(
  session: Session,
  slots: SlotRecord[],
  published: StoredSecret | undefined,
  active: string | undefined,
): TargetRecord {
  const { target } = session;
  const now = session.now();
  const facts = {
    targetId: target.id,
    ...(published && { changedAt: published.createdAt }),
  };
  const due = nextDue(target.policy, facts, now);
  const record: TargetRecord = {
    ...withoutDue(session.record()),
    health: "healthy",
    slots,
    ...(active !== undefined && { active }),
    ...(published && { published: published.ref }),
    adoptedAt: now,
    failures: 0,
    ...(due.at !== undefined && { nextDue: due.at }),
    dueReason: due.reason,
    policyFingerprint: policyFingerprint(target.policy),
  };
  const data = {
    secret: target.publish.name,
    ...(published && { version: published.ref.version }),
    ...(active !== undefined && { account: active }),
  };
  return notify(record, "credential.adopted", now, data);
}

async function tryAgainLater(session: Session, error: unknown): Promise<void> {
  const { target } = session;
  const failure = failureOf(session, error);
  const { request, ...rest } = session.record();
  const failures = rest.failures + 1;
  const delay = retryDelay(target.policy.retry, failures, `${target.id}/adopt`);
  const record: TargetRecord = {
    ...rest,
    health: failure.kind === "no-live-credential" ? "blocked" : "failing",
    failures,
    lastFailure: failure,
    nextDue: plus(failure.at, delay),
    dueReason: "another try to adopt the target",
  };
  const refused: RunRecord[] = request
    ? [
        {
          schema: 1,
          rotationId: request.rotationId,
          targetId: target.id,
          state: "failed",
          reason: request.reason,
          requestedBy: request.requestedBy,
          requestedAt: request.at,
          endedAt: failure.at,
          phases: [],
          failure,
        },
      ]
    : [];
  await session.commit(record, refused);
  session.emit({ type: "attempt-failed", failure, detail: "adoption" });
}
