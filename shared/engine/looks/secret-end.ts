import { withSecretEnd } from "../../core/lifecycle/secret-end.ts";
import { findSecretEnd } from "../../core/record/due.ts";
import type { SecretEnd, TargetRecord } from "../../core/record/record.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import type { VersionRef } from "../../core/target.ts";
import { askEnd } from "../calls/mint.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import type { TargetSession } from "../session.ts";
import type { StoredCredential } from "./credentials.ts";
import { readOtherAuthority } from "./other-authority.ts";

/**
 * What is known about the end of a secret that somebody else has published, or that an earlier version of Keyturn did. A person may have
 * copied the tags of another version, so the system is asked first. Undefined: the system ends no secrets, or gave no answer, and a heartbeat
 * repeats the question.
 */
export async function lookUpEnd(
  session: TargetSession,
  { version }: VersionRef,
  credential: Credential,
): Promise<SecretEnd | undefined> {
  if (session.target.lifetime === undefined) return undefined;
  const asked = await ask(session, credential);
  if (asked === "no answer") return undefined;
  const at = asked ?? credential.expiresAt;
  return { version, ...(at !== undefined && { at }) };
}

/** The field of the record for a version that Keyturn has written with this credential. */
export const toKnownEnd = (
  { version }: VersionRef,
  { expiresAt: at }: Credential,
): Pick<TargetRecord, "secretEnd"> => (at === undefined ? {} : { secretEnd: { version, at } });

/**
 * The credential with the end of its secret, if that can be found out. The tags of a secret that this rotation has not created say nothing
 * before the system was asked. Nothing waits for it: a heartbeat repeats the question.
 */
export async function withEnd(
  session: TargetSession,
  credential: Credential,
  isCreated: boolean,
): Promise<Credential> {
  if (session.target.lifetime === undefined) return credential;
  const { expiresAt: tagged, ...rest } = credential;
  if (isCreated && tagged !== undefined) return credential;
  const asked = await ask(session, credential);
  const expiresAt = asked === "no answer" ? undefined : (asked ?? tagged);
  return { ...rest, ...(expiresAt !== undefined && { expiresAt }) };
}

/** Finds out when the published secret ends, which has just logged in, unless the journal knows it. */
export async function noteEnd(
  session: TargetSession,
  { ref, credential }: StoredCredential,
): Promise<void> {
  if (findSecretEnd(session.record())?.at !== undefined) return;
  const end = await lookUpEnd(session, ref, credential);
  if (end) session.stage(withSecretEnd(session.record(), end, session.target, session.now()));
}

/** The end of a secret does not prevent anything that can be done without it. */
async function ask(session: TargetSession, credential: Credential) {
  try {
    const authority = await readOtherAuthority(session);
    return authority && (await askEnd(session, credential, authority));
  } catch (error) {
    rethrowUnlessExpected(error);
    const failure = toFailure(session, error);
    session.emit({ type: "attempt-failed", failure, detail: "find out when the secret ends" });
    return "no answer";
  }
}
