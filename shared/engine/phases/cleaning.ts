import { notify } from "../../core/lifecycle/notifications.ts";
import { withCheck } from "../../core/record/check.ts";
import { mayBeLive } from "../../core/record/given.ts";
import type { Failure, Rotation, TargetRecord } from "../../core/record/record.ts";
import { findSlot, listVersionsOf } from "../../core/record/slots.ts";
import {
  isSameVersion,
  type SecretName,
  toPendingName,
  type VersionRef,
} from "../../core/target.ts";
import { between, day, minute } from "../../core/time.ts";
import type { VersionInfo } from "../../vaults/vault.ts";
import { disableVersion, listVersions, readCurrent } from "../calls/stored.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { readPending } from "../looks/credentials.ts";
import { proveLogIn } from "../looks/look.ts";
import { findProof, issueProof, type Proof } from "../looks/proof.ts";
import type { TargetSession } from "../session.ts";
import { type Advance, GoBackError } from "./step.ts";

/** Number of versions from which Keyturn warns: Key Vault cannot back up a secret with more than 500, and cannot delete single versions. */
const versionsToReport = 450;
const tidyEveryMs = 7 * day;
const maxDisabledAtOnce = 20;
/** Milliseconds. An import stores its version just before the journal names the version. */
const youngMs = 10 * minute;

/** Disables the account's pending versions that are no longer needed because the published secret works. */
export async function cleaning(session: TargetSession, rotation: Rotation): Promise<Advance> {
  const proof = findProof(session, "published") ?? (await provePublished(session, rotation));
  if (proof === undefined) return leaveToCheck(session, rotation);
  for (const ref of listSuperseded(session, rotation)) await disableVersion(session, ref, proof);
  await tidyWhenDue(session, rotation, proof);
  return { to: "done" };
}

/**
 * Proves again that the published secret works: refreshing consumers may have taken hours, and the configuration may name another secret
 * by now.
 */
async function provePublished(
  session: TargetSession,
  { account, published }: Rotation,
): Promise<Proof | undefined> {
  const current = await readCurrent(session, published ?? session.target.publish);
  return proveLogIn(session, current, account);
}

/**
 * Called when the published secret no longer works. As long as the pending version can be read, the rotation sets the same secret on the
 * target again. Without it, a new secret might replace the one that consumers use, so the rotation ends and the secret is checked.
 */
async function leaveToCheck(session: TargetSession, rotation: Rotation): Promise<Advance> {
  const { name } = rotation.published ?? session.target.publish;
  const why = `the published secret ${name} no longer logs in`;
  if (await readPending(session, rotation)) throw new GoBackError("publishing", why);
  session.stage(withCheck(session.record(), why, session.now()));
  return { to: "done" };
}

/** Pending versions that the account may have had before it took the published one. */
function listSuperseded(session: TargetSession, { account, pending }: Rotation): VersionRef[] {
  const known = listVersionsOf(findSlot(session.record(), account));
  const { name } = toPendingName(session.target);
  return [pending, ...known].filter((ref): ref is VersionRef => ref?.name === name);
}

/**
 * Disables the pending version of a rotation that ends or starts over, if Keyturn knows that no target has it. A failure is only
 * logged: the version is cleaned up later.
 */
export async function discardPending(
  session: TargetSession,
  { pending, given, changeBegan, outcomeInDoubt, confirmedAt }: Rotation,
  failure?: Failure,
): Promise<void> {
  const wasRefused = failure?.kind === "change-refused";
  const isUnused =
    outcomeInDoubt !== true && confirmedAt === undefined && (!changeBegan || wasRefused);
  if (!pending || !isUnused || mayBeLive(given)) return;
  await tolerateFailure(session, "disable a pending version", () =>
    disableVersion(session, pending, issueProof(session, "unused")),
  );
}

/** Occasionally disables pending versions that no record names, and reports a secret that nears Key Vault's limit. */
async function tidyWhenDue(
  session: TargetSession,
  rotation: Rotation,
  proof: Proof,
): Promise<void> {
  const { tidiedAt } = session.record();
  if (tidiedAt !== undefined && between(tidiedAt, session.now()) < tidyEveryMs) return;
  await tolerateFailure(session, "clean up old versions", async () => {
    const { target } = session;
    const pending = await listVersions(session, toPendingName(target));
    const known = pending.filter(({ createdAt }) => between(createdAt, session.now()) >= youngMs);
    for (const { ref } of listLeftOver(session.record(), rotation, known)) {
      await session.hold();
      await disableVersion(session, ref, proof);
    }
    const published = await listVersions(session, target.publish);
    const counted = { ...session.record(), tidiedAt: session.now() };
    session.stage(
      withLimitReported(
        withLimitReported(counted, toPendingName(target), pending.length, session),
        target.publish,
        published.length,
        session,
      ),
    );
  });
}

function listLeftOver(
  { slots, given }: TargetRecord,
  { pending }: Rotation,
  versions: readonly VersionInfo[],
): VersionInfo[] {
  const named = [pending, given?.secret.ref, ...slots.flatMap(listVersionsOf)];
  return versions
    .filter(({ enabled, ref }) => enabled && !named.some((one) => isSameVersion(one, ref)))
    .slice(0, maxDisabledAtOnce);
}

function withLimitReported(
  record: TargetRecord,
  { vault, name }: SecretName,
  count: number,
  session: TargetSession,
): TargetRecord {
  if (count < versionsToReport) return record;
  const message =
    `Secret ${name} in vault ${vault} has ${count} versions. Key Vault cannot back up a secret with more than 500. ` +
    "Publish under a new name, or back it up and purge it while no rotation runs.";
  session.emit({ type: "version-limit", detail: message });
  const data = { kind: "version-limit", message, secret: name };
  return notify(record, {
    type: "alarm",
    at: session.now(),
    data,
    about: `${name}/${session.now()}`,
  });
}

async function tolerateFailure(
  session: TargetSession,
  detail: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    rethrowUnlessExpected(error);
    session.emit({ type: "attempt-failed", failure: toFailure(session, error), detail });
  }
}
