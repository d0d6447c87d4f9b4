import { withCheck } from "../../core/lifecycle/check-request.ts";
import { notify } from "../../core/lifecycle/notifications.ts";
import type { Failure, Rotation, TargetRecord } from "../../core/record/rotation.ts";
import { findSlot } from "../../core/record/slots.ts";
import { pendingName, sameVersion, type SecretName, type VersionRef } from "../../core/target.ts";
import { between, day } from "../../core/time.ts";
import type { VersionInfo } from "../../vaults/vault.ts";
import { disableVersion, listVersions, readCurrent } from "../calls/reach.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { readPending } from "../looks/credentials.ts";
import { proveLogIn } from "../looks/look.ts";
import { findProof, issueProof, type Proof } from "../looks/proof.ts";
import type { Session } from "../session.ts";
import { type Advance, GoBackError } from "./step.ts";

/** Key Vault cannot back up a secret with more than 500 versions, and cannot delete a single version. */
const versionsToReport = 450;
const tidyEveryMs = 7 * day;
const maxDisabledAtOnce = 20;

/** Disables the pending versions of the account whose outcome is known: the published one works. */
export async function cleaning(session: Session, rotation: Rotation): Promise<Advance> {
  const proof = findProof(session, "published") ?? (await provePublished(session, rotation));
  if (proof === undefined) return leaveToCheck(session, rotation);
  for (const ref of listSuperseded(session, rotation)) await disableVersion(session, ref, proof);
  await tidyWhenDue(session, rotation, proof);
  return { to: "done" };
}

/**
 * Consumers may have been refreshed for hours since the published secret was last seen to work. The configuration may name
 * another secret by now.
 */
async function provePublished(
  session: Session,
  { account, published }: Rotation,
): Promise<Proof | undefined> {
  const current = await readCurrent(session, published ?? session.target.publish);
  return proveLogIn(session, current, account);
}

/**
 * What was published works no more. As long as the pending version can be read, the same secret is given to the target again. Once
 * that was cleaned away, making another one might take away what consumers use: the rotation ends, and the published secret is checked.
 */
async function leaveToCheck(session: Session, rotation: Rotation): Promise<Advance> {
  const { name } = rotation.published ?? session.target.publish;
  const why = `${name} does not log in any more`;
  if (await readPending(session, rotation)) throw new GoBackError("publishing", why);
  session.stage(withCheck(session.record(), why, session.now()));
  return { to: "done" };
}

/** Pending versions that the account may have had before it took the published one. */
function listSuperseded(session: Session, { account, pending }: Rotation): VersionRef[] {
  const { current, previous, abandoned } = findSlot(session.record(), account);
  const { name } = pendingName(session.target);
  return [pending, current, previous, abandoned].filter(
    (ref): ref is VersionRef => ref?.name === name,
  );
}

/**
 * Disables the pending version of a rotation that ends or begins anew, if it is known that no target has it. A failure is
 * logged and changes nothing: the versions are tidied up later.
 */
export async function discardPending(
  session: Session,
  { pending, changeBegan, outcomeInDoubt, confirmedAt }: Rotation,
  failure?: Failure,
): Promise<void> {
  const wasRefused = failure?.kind === "change-refused";
  const isUnused =
    outcomeInDoubt !== true && confirmedAt === undefined && (!changeBegan || wasRefused);
  if (!pending || !isUnused) return;
  await tolerateFailure(session, "disabling a pending version", () =>
    disableVersion(session, pending, issueProof(session, "unused")),
  );
}

/** Now and then: disables pending versions that no record names, and reports a name that nears Key Vault's limit. */
async function tidyWhenDue(session: Session, rotation: Rotation, proof: Proof): Promise<void> {
  const { tidiedAt } = session.record();
  if (tidiedAt !== undefined && between(tidiedAt, session.now()) < tidyEveryMs) return;
  await tolerateFailure(session, "tidying up versions", async () => {
    const { target } = session;
    const pending = await listVersions(session, pendingName(target));
    for (const { ref } of listLeftOver(session.record(), rotation, pending)) {
      await session.hold();
      await disableVersion(session, ref, proof);
    }
    const published = await listVersions(session, target.publish);
    const counted = { ...session.record(), tidiedAt: session.now() };
    session.stage(
      withLimitReported(
        withLimitReported(counted, pendingName(target), pending.length, session),
        target.publish,
        published.length,
        session,
      ),
    );
  });
}

function listLeftOver(
  { slots }: TargetRecord,
  { pending }: Rotation,
  versions: readonly VersionInfo[],
): VersionInfo[] {
  const named = [
    pending,
    ...slots.flatMap(({ current, previous, abandoned }) => [current, previous, abandoned]),
  ];
  return versions
    .filter(({ enabled, ref }) => enabled && !named.some((one) => sameVersion(one, ref)))
    .slice(0, maxDisabledAtOnce);
}

function withLimitReported(
  record: TargetRecord,
  { vault, name }: SecretName,
  count: number,
  session: Session,
): TargetRecord {
  if (count < versionsToReport) return record;
  const message =
    `the secret ${name} in vault ${vault} has ${count} versions; Key Vault cannot back up a secret with more than 500. ` +
    "Publish under a new name, or back it up and purge it while no rotation runs";
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
  session: Session,
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
