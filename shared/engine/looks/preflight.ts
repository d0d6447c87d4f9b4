import {
  AccountBlockedError,
  ChangeRefusedError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../core/errors.ts";
import type { Finding } from "../../core/looks/findings.ts";
import {
  findDeleted,
  findDisabled,
  findVanished,
  judgeExamination,
  judgeWritable,
  listWarnings,
} from "../../core/looks/judgements.ts";
import type { Rotation } from "../../core/record/record.ts";
import { chooseAccount, findSlot } from "../../core/record/slots.ts";
import type { ServerRules } from "../../core/secrets/server-rules.ts";
import {
  type Authority,
  hasGrace,
  hasOverlap,
  isSameVersion,
  type Target,
  type VersionRef,
} from "../../core/target.ts";
import type { Examination, Using } from "../../rotators/rotator.ts";
import type { StoredSecret, Unreadable } from "../../vaults/vault.ts";
import { readAdmin, recallAdmin } from "../calls/admin-credential.ts";
import { examineAccount, type Examined, logsIn } from "../calls/reach.ts";
import { readCredential, readCurrent } from "../calls/stored.ts";
import type { TargetSession } from "../session.ts";
import { findLiveCredential, type StoredCredential } from "./credentials.ts";
import { GuessPauseError } from "./guess-pause.ts";
import { toIdentity } from "./identity.ts";
import { findKept, findStillValid, type Kept } from "./kept.ts";
import { type Checked, checkPublished } from "./look.ts";
import { issueProof, type Proof } from "./proof.ts";
import { restorePublished } from "./recover.ts";

/** Everything that a change needs, checked a moment ago. */
export interface Cleared extends Kept {
  readonly using: Using;
  /** Where the account's present secret is stored, if it was found. */
  readonly live?: VersionRef;
  /** Where the secret of `using` is stored, if it has one. */
  readonly usingRef?: VersionRef;
  readonly proof: Proof;
  /** The rules of the target for new passwords, as far as it shows them. */
  readonly rules?: ServerRules;
  /** The published secret as consumers read it now. Absent where its state cannot prevent a repeated change. */
  readonly current?: StoredSecret | Unreadable;
  /** The published secret has just logged in. */
  readonly isServing?: true;
  readonly findings: readonly Finding[];
}

/**
 * Checks before a change that the published secret works and can be written later, that nothing prevents the account from logging in,
 * and that the authority may change it. Changes nothing on the target. Returns "other turn" when somebody meanwhile published the
 * account that the rotation was about to change. Throws ChangeRefusedError for a named obstacle, and TargetUnavailableError or
 * VaultUnavailableError when the check itself failed.
 */
export async function lookBeforeChange(
  session: TargetSession,
  rotation: Rotation,
): Promise<Cleared | "other turn"> {
  const found = await refuseNamedObstacle(() => checkPublished(session));
  const findings = [describePublished(session, rotation, found)];
  const isRestored =
    found.is === "refused" && hasGrace(session.target) && (await restorePublished(session, found));
  // The account that is about to be changed may be the one whose secret is published again.
  const isKept = isRestored && hasOverlap(session.target);
  const published = isKept ? await refuseNamedObstacle(() => checkPublished(session)) : found;
  if (chooseAccount(session.target, session.record()) !== rotation.account) return "other turn";
  const live = await refuseNamedObstacle(() => findCurrent(session, rotation, published));
  const login = describeLogIn(rotation.account, live);
  const authority = await clearAuthority(session, rotation, live);
  const current = published.is === "nothing" ? "absent" : published.stored;
  return {
    ...authority,
    ...findKept(session, rotation, { published, live }),
    current,
    ...(published.is === "works" && { isServing: true as const }),
    findings: [...findings, login, ...authority.findings],
  };
}

/**
 * Checks again before a change that has begun is repeated: the first try may have had no effect. Does not check whether the account logs
 * in: it may have either secret. Waits for a named obstacle to go away, because the target may refuse consumers until the change is proven.
 */
export async function lookAgain(session: TargetSession, rotation: Rotation): Promise<Cleared> {
  const { publish } = session.target;
  const stored = await readCurrent(session, publish);
  const missing = typeof stored === "string" ? stored : "";
  rejectIf(findDeleted(publish.name, missing));
  // The secret may have been purged permanently. The change has begun, so do not wait for the secret forever.
  const isPatient = rotation.failures < session.target.policy.retry.attempts;
  if (isPatient) rejectIf(findVanished(session.target, session.record(), rotation, missing));
  const kept = await findStillValid(session, rotation, stored);
  try {
    // The target decides itself about a secret that it may already have.
    const { rules: _rules, ...cleared } = await clearAuthority(
      session,
      rotation,
      undefined,
      notProven,
    );
    return { ...cleared, ...kept };
  } catch (error) {
    if (!(error instanceof ObstacleError)) throw error;
    throw new AccountBlockedError(error.message);
  }
}

const nothingChanged = "nothing was changed";
const notProven =
  "the target may already have the new secret, and may refuse consumers until Keyturn has verified the change";

/** The server, or its administrator's view, shows an obstacle that prevents the account from logging in. */
class ObstacleError extends ChangeRefusedError {}

async function refuseNamedObstacle<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AccountBlockedError)) throw error;
    throw new ObstacleError(`${error.message}; ${nothingChanged}`);
  }
}

/** Describes whether the published secret can be written later. Throws when Keyturn knows that it cannot. */
function describePublished(
  session: TargetSession,
  rotation: Rotation,
  published: Checked,
): Finding {
  const { target } = session;
  const missing =
    published.is === "unusable" && typeof published.stored === "string" ? published.stored : "";
  const record = session.record();
  rejectIf(findDeleted(target.publish.name, missing));
  rejectIf(findVanished(target, record, rotation, missing));
  rejectIf(findDisabled(target, record, rotation, missing));
  const isKnown = published.is === "works" || published.is === "refused";
  return judgeWritable(target, isKnown ? published.stored.tags : undefined, true);
}

function rejectIf(problem: string | undefined): void {
  if (problem !== undefined) throw new VaultUnavailableError(problem);
}

/** Finds the credential that the account has now, if a stored one logs in. Stops after one refusal: wrong guesses lock accounts. */
async function findCurrent(
  session: TargetSession,
  rotation: Rotation,
  published: Checked,
): Promise<StoredCredential | "refused" | "unknown"> {
  const { account } = rotation;
  if (published.is === "works" && published.live.credential.account === account) {
    return published.live;
  }
  if (session.target.authority.as === "self") {
    const stored = published.is === "works" ? published.stored : undefined;
    return findLiveCredential(session, rotation, stored);
  }
  if (published.is === "refused" && published.credential.account === account) return "refused";
  const { current } = findSlot(session.record(), account);
  const credential = current && (await readCredential(session, current, [account]));
  if (!credential) return "unknown";
  try {
    return (await logsIn(session, { credential, ref: current }))
      ? { credential, ref: current }
      : "refused";
  } catch (error) {
    // Another authority makes the change, and the rotation may fix the log-in.
    if (error instanceof GuessPauseError) return "unknown";
    throw error;
  }
}

function describeLogIn(account: string, live: StoredCredential | "refused" | "unknown"): Finding {
  const about = "credential";
  if (live === "unknown") {
    return { about, is: "unknown", sentence: `Keyturn cannot read a stored secret of ${account}` };
  }
  return live === "refused"
    ? { about, is: "refused", sentence: `the target refuses the stored secret of ${account}` }
    : { about, is: "proven", sentence: `${account} logs in with its stored secret` };
}

/** Checks that the authority may change the account, and that nothing prevents the account from logging in. */
async function clearAuthority(
  session: TargetSession,
  rotation: Rotation,
  live: StoredCredential | "refused" | "unknown" | undefined,
  consequence = nothingChanged,
): Promise<Cleared> {
  const { target } = session;
  const { account } = rotation;
  const isSelf = target.authority.as === "self";
  const own = isSelf ? () => findLiveCredential(session, rotation) : () => undefined;
  const known = typeof live === "object" ? live : await own();
  const examine = { account, isProven: known !== undefined, ...findTwin(target, account) };
  const { stored, using, examined } =
    isSelf && known
      ? await examineSelf(session, known, examine)
      : await examineAs(session, examine, recallAdmin);
  if (examined === "rejected") {
    throw new TargetUnavailableError(
      `target ${target.id} refuses ${describeCredential(target.authority, account)}; ${consequence}`,
    );
  }
  const is = requireClear(examined, consequence);
  return {
    using,
    ...(known && { live: known.ref }),
    ...(stored && { usingRef: stored.ref }),
    proof: issueProof(session, "authority"),
    ...(examined.rules && { rules: examined.rules }),
    findings: [
      { about: "authority", is, sentence: `${nameAuthority(using)} may change ${account}` },
      ...listWarnings(examined, target).map((warning) => toWarning(warning)),
    ],
  };
}

const toWarning = (sentence: string): Finding => ({
  about: "account",
  is: "warning",
  sentence: sentence.replace(/\.$/, ""),
});

/** The credential of the authority that changes the account, in messages about its refusal. */
export function describeCredential(authority: Authority, account: string): string {
  if (authority.as === "self") return `the secret with which ${account} logged in a moment ago`;
  return authority.as === "admin"
    ? `the admin credential stored in ${authority.secret.name}`
    : "the token of Keyturn's Azure identity";
}

export function nameAuthority(using: Using): string {
  return using.as === "identity" ? "Keyturn's Azure identity" : using.credential.account;
}

/** The other account of a pair. */
export function findTwin({ slots }: Target, account: string): { readonly twin?: string } {
  const twin = slots.find((slot) => slot.account !== account)?.account;
  return twin === undefined ? {} : { twin };
}

export interface ExaminedAs {
  /** The credential of the authority. Undefined for the identity. */
  readonly stored: StoredCredential | undefined;
  readonly using: Using;
  readonly examined: Examination | "rejected";
}

/** Examines the account with the admin's remembered secret. If the target refuses it, reads the secret from the vault again. */
export async function examineAs(
  session: TargetSession,
  examine: Examined,
  findAdmin: (session: TargetSession) => Promise<StoredCredential>,
): Promise<ExaminedAs> {
  const isAdmin = session.target.authority.as === "admin";
  const admin = isAdmin ? await findAdmin(session) : undefined;
  const using: Using = admin ? { as: "admin", credential: admin.credential } : toIdentity(session);
  const examined = await examineAccount(session, { using, ref: admin?.ref }, examine);
  if (examined !== "rejected" || !admin) return { stored: admin, using, examined };
  const fresh = await readAdmin(session);
  if (isSameVersion(fresh.ref, admin.ref)) return { stored: admin, using, examined };
  return examineAs(session, examine, () => Promise.resolve(fresh));
}

/** Examines an account that changes itself, with its own secret, which has just logged in. */
export async function examineSelf(
  session: TargetSession,
  own: StoredCredential,
  examine: Examined,
): Promise<ExaminedAs> {
  const using = { as: "self", credential: own.credential } as const;
  const examined = await examineAccount(session, { using, ref: own.ref }, examine);
  return { stored: own, using, examined };
}

/** Returns how certain the right is. Throws ObstacleError when something prevents a log-in, and ChangeRefusedError for a missing right. */
function requireClear(examined: Examination, consequence: string): "proven" | "likely" {
  const judged = judgeExamination(examined);
  if (judged.is === "obstacle") throw new ObstacleError(`${judged.why}; ${consequence}`);
  if (judged.is === "missing") throw new ChangeRefusedError(judged.why);
  return judged.is;
}
