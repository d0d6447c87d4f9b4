import { withPublishedProven } from "../../core/lifecycle/progress.ts";
import type { Rotation } from "../../core/record/record.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import type { Target, VersionRef } from "../../core/target.ts";
import type { StoredSecret, Unreadable } from "../../vaults/vault.ts";
import { logsIn } from "../calls/reach.ts";
import { readCurrent, toCredential } from "../calls/stored.ts";
import type { TargetSession } from "../session.ts";
import { stillLogsIn, type StoredCredential } from "./credentials.ts";
import { type Published, reportRefused, syncPublished } from "./drift.ts";
import { issueProof, type Proof } from "./proof.ts";

/** `works`: the published secret logged in a moment ago. `syncPublished` explains the others. */
export type Checked =
  | {
      readonly is: "works";
      readonly stored: StoredSecret;
      readonly live: StoredCredential;
      readonly proof: Proof;
    }
  | { readonly is: "refused"; readonly stored: StoredSecret; readonly credential: Credential }
  | Extract<Published, { readonly is: "nothing" | "unusable" }>;

export type Broken = Exclude<Checked, { readonly is: "works" }>;

/**
 * Logs in with the published secret, as the vault has it now. Reports a refusal as drift. Throws when the vault or the target cannot be
 * reached: then nothing is known.
 */
export async function checkPublished(session: TargetSession): Promise<Checked> {
  const published = await syncPublished(session);
  if (published.is === "nothing" || published.is === "unusable") return published;
  const { stored, credential } = published;
  const live = { credential, ref: stored.ref };
  const isAuthority =
    session.target.authority.as === "self" &&
    session.record().rotation?.account === credential.account;
  if (
    published.is === "adopted" ||
    (published.is === "known" && (await stillLogsIn(session, { ...live, isAuthority })))
  ) {
    await noteProven(session);
    return { is: "works", stored, live, proof: issueProof(session, "published") };
  }
  if (published.is === "known") await reportRefused(session, stored);
  return { is: "refused", stored, credential };
}

async function noteProven(session: TargetSession): Promise<void> {
  const record = session.record();
  const proven = withPublishedProven(record);
  if (proven !== record) await session.commit(proven);
}

/** Returns the version that this rotation has published, if it is the current version and logs in. */
export async function findOwnPublished(
  session: TargetSession,
  { id, account }: Rotation,
): Promise<VersionRef | undefined> {
  const current = await readCurrent(session, session.target.publish);
  if (typeof current === "string" || current.tags["keyturn-rotation"] !== id) return undefined;
  return (await proveLogIn(session, current, account)) && current.ref;
}

/** Returns the proof that the account logs in with the published secret. Returns undefined if it does not. */
export async function proveLogIn(
  session: TargetSession,
  current: StoredSecret | Unreadable,
  account: string,
): Promise<Proof | undefined> {
  if (typeof current === "string") return undefined;
  const credential = toCredential(session, current, [account]);
  if (!credential || !(await logsIn(session, { credential, ref: current.ref }))) return undefined;
  return issueProof(session, "published");
}

/** What a person must do where no rotation starts by itself. */
function adviseOnManual({ policy, authority, slots }: Target): string {
  if (policy.manualOnly !== true) return "";
  const isLockedOut = authority.as === "self" && slots.length === 1;
  const store = "store the present password of the account in it";
  const cure = isLockedOut ? store : `request a rotation, or ${store}`;
  return `; policy ${policy.name} leaves rotations to people (manualOnly), so ${cure}`;
}

/** Explains in a message why the published secret does not work. */
export function describeBroken({ target }: TargetSession, checked: Broken): string {
  const { name } = target.publish;
  if (checked.is === "refused") {
    return `the target refuses the published secret ${name}${adviseOnManual(target)}`;
  }
  if (checked.is === "nothing") return `the published secret ${name} does not exist`;
  return typeof checked.stored === "string"
    ? `the published secret ${name} is ${checked.stored}`
    : `the published secret ${name} holds no credential of target ${target.id}`;
}
