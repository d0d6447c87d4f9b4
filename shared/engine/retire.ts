import { notify } from "../core/progress.ts";
import { retryDelay } from "../core/retry.ts";
import type { Retirement, TargetRecord } from "../core/rotation.ts";
import { slotOf, withSlot } from "../core/slots.ts";
import { plus } from "../core/time.ts";
import type { Using } from "../rotators/rotator.ts";
import { adminCredential } from "./applying.ts";
import { retireAccount } from "./reach.ts";
import { failureOf, rethrowUnlessExpected } from "./rotate.ts";
import type { Session } from "./session.ts";

/** Makes the superseded secret of a pair useless, once its grace is over. Never touches what is published. */
export async function retire(session: Session): Promise<void> {
  const { retirement, active } = session.record();
  if (!retirement) return;
  const known = session.target.slots.some((slot) => slot.account === retirement.account);
  if (!known || retirement.account === active) {
    await session.commit(withoutRetirement(session.record()));
    return;
  }
  try {
    const using = await authorityToRetire(session);
    await session.hold();
    await retireAccount(session, retirement.account, using);
  } catch (error) {
    rethrowUnlessExpected(error);
    await tryAgainLater(session, retirement, error);
    return;
  }
  await session.commit(retired(session, retirement));
  session.emit({
    type: "retired",
    rotationId: retirement.rotationId,
    account: retirement.account,
  });
}

async function authorityToRetire(session: Session): Promise<Using> {
  return session.target.authority.as === "identity"
    ? { as: "identity" }
    : { as: "admin", credential: await adminCredential(session) };
}

/** What was stored for the account stays known as `previous`, but no longer counts as its secret. */
function retired(session: Session, { account, rotationId }: Retirement): TargetRecord {
  const record = session.record();
  const { current, ...slot } = slotOf(record, account);
  const emptied = { ...slot, ...(current && { previous: current }) };
  const data = { account, rotationId };
  const done = { ...withoutRetirement(record), slots: withSlot(record.slots, emptied) };
  return notify(done, "credential.retired", session.now(), data);
}

function withoutRetirement(record: TargetRecord): TargetRecord {
  const { retirement: _, ...rest } = record;
  return rest;
}

async function tryAgainLater(
  session: Session,
  retirement: Retirement,
  error: unknown,
): Promise<void> {
  const failure = failureOf(session, error);
  const failures = retirement.failures + 1;
  const delay = retryDelay(session.target.policy.retry, failures, retirement.rotationId);
  await session.commit({
    ...session.record(),
    lastFailure: failure,
    retirement: { ...retirement, failures, at: plus(failure.at, delay) },
  });
  session.emit({
    type: "attempt-failed",
    failure,
    rotationId: retirement.rotationId,
    account: retirement.account,
    detail: "retirement",
  });
}
