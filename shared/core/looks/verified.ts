import { type Refusal, type Rotation, type TargetRecord } from "../record/record.ts";
import type { SecretName, Target, VersionRef } from "../target.ts";
import { between, type Instant, plus } from "../time.ts";
import { findGuessPause, findRefusal, guessWindowMs, maxSearchGuesses } from "./guesses.ts";

export const verifyResults = [
  "accepted",
  "rejected",
  "unreachable",
  "unreadable",
  "not-tried",
] as const;

/**
 * Whether the published secret works.
 *
 * | result | meaning |
 * |---|---|
 * | `accepted` | a log-in with it has just succeeded |
 * | `rejected` | the target refused it, now or a moment ago |
 * | `unreachable` | the server or the vault gave no answer about it |
 * | `unreadable` | it does not exist, is disabled, or holds no credential of the target |
 * | `not-tried` | the target has refused the account too often; another wrong guess might lock it |
 */
export type VerifyResult = (typeof verifyResults)[number];

/** The answer to the question whether the published secret works. It never contains a secret. */
export interface Verified {
  readonly result: VerifyResult;
  /** Sentences for an operator: what was found, about which object, and what to do. */
  readonly why: string;
  /** When the target answered, or when Keyturn found that it could not be asked. */
  readonly checkedAt: Instant;
  /** The account in the published secret, if one could be read. */
  readonly account?: string;
  /** The published version, if one could be read. */
  readonly version?: string;
  /** Keyturn does not try this version, or the account, again before this moment. */
  readonly until?: Instant;
}

/** The published credential, without its secret. */
export interface Subject {
  readonly account: string;
  readonly ref: VersionRef;
}

/** Why no log-in is tried; undefined when one may be tried. It leaves the last guess to rotations. */
export function findReasonNotToGuess(
  refusals: readonly Refusal[],
  subject: Subject,
  now: Instant,
): Verified | undefined {
  const { account, ref } = subject;
  const about = { account, version: ref.version };
  const refusedAt = findRefusal(refusals, about, now);
  if (refusedAt !== undefined && between(refusedAt, now) < guessWindowMs) {
    const until = plus(refusedAt, guessWindowMs);
    const why =
      `The target refused ${describe(subject)} at ${refusedAt}. ` +
      `To avoid a lock of the account, Keyturn does not try this version again before ${until}. ${replace}`;
    return { result: "rejected", why, checkedAt: refusedAt, ...about, until };
  }
  const until = findGuessPause(refusals, account, now, maxSearchGuesses);
  if (until === undefined) return undefined;
  const why =
    `The target refused log-ins of account ${account} too often. ` +
    `To avoid a lock of the account, Keyturn does not log in before ${until}. Try again after that.`;
  return { result: "not-tried", why, checkedAt: now, ...about, until };
}

const replace = "To replace the password now, request a rotation.";

const describe = ({ account, ref }: Subject): string =>
  `version ${ref.version} of the published secret ${ref.name} in vault ${ref.vault} for account ${account}`;

export function toAccepted(subject: Subject, isForeign: boolean, now: Instant): Verified {
  const { account, ref } = subject;
  const found = `The target accepts ${describe(subject)}.`;
  const next = isForeign
    ? " Keyturn did not write this version. A check that is due now reports and adopts it."
    : "";
  return {
    ...{ result: "accepted", why: `${found}${next}` },
    ...{ checkedAt: now, account, version: ref.version },
  };
}

export function toRejected(
  subject: Subject,
  { rotation, adoptedAt }: Pick<TargetRecord, "rotation" | "adoptedAt">,
  now: Instant,
): Verified {
  const { account, ref } = subject;
  const found = `The target refuses ${describe(subject)}.`;
  const next = isChanging(rotation, account)
    ? `Rotation ${rotation.id} is changing this account, and publishes its new password next.`
    : adoptedAt === undefined
      ? "Keyturn adopts the target first. Store a password that works in the secret, or request a rotation."
      : `A check that is due now looks for a password that works. ${replace}`;
  return {
    ...{ result: "rejected", why: `${found} ${next}` },
    ...{ checkedAt: now, account, version: ref.version },
  };
}

function isChanging(rotation: Rotation | undefined, account: string): rotation is Rotation {
  return rotation?.account === account && rotation.changeBegan && rotation.phase !== "blocked";
}

/** `message` says which server or vault gave no answer, and why. */
export function toUnreachable(
  { id }: Target,
  message: string,
  now: Instant,
  subject?: Subject,
): Verified {
  const why =
    `Keyturn could not verify the published secret of target ${id}: ${message}. ` +
    "This says nothing about the password. Fix the cause and try again.";
  return {
    ...{ result: "unreachable", why, checkedAt: now },
    ...(subject && { account: subject.account, version: subject.ref.version }),
  };
}

export type WhyUnreadable = "absent" | "deleted" | "disabled" | "no credential";

const unreadable: Readonly<Record<WhyUnreadable, (id: string) => string>> = {
  absent: () => "does not exist. Request a rotation, or store the credential in it.",
  deleted: () => "was deleted. Recover it in Key Vault, or request a rotation after it is purged.",
  disabled: () => "is disabled. Enable its newest version in Key Vault, or request a rotation.",
  "no credential": (id) =>
    `holds no credential of target ${id}. Store JSON with username and password in it, or request a rotation.`,
};

export function toUnreadable(
  { id, publish }: Pick<Target, "id" | "publish">,
  is: WhyUnreadable,
  now: Instant,
  ref?: VersionRef,
): Verified {
  const why = `${nameOf(publish)} ${unreadable[is](id)}`;
  return {
    ...{ result: "unreadable", why, checkedAt: now },
    ...(ref && { version: ref.version }),
  };
}

const nameOf = ({ vault, name }: SecretName): string =>
  `The published secret ${name} in vault ${vault}`;
