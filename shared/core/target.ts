import type { NotChosen } from "./policy/choose.ts";
import { type Policy, policyFingerprint } from "./policy/policy.ts";
import { day } from "./time.ts";

/** Also what vaults, policies and consumers may be called. */
export const targetIdPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Milliseconds. */
export const longestGrace = 3650 * day;

/** Milliseconds: a superseded secret must end before it is its account's turn again. */
export function findLongestGrace({ every = longestGrace }: Pick<Policy, "every">): number {
  return Math.min(every, longestGrace);
}

/** A secret by name in one of the configured vaults. */
export interface SecretName {
  readonly vault: string;
  readonly name: string;
}

/** Exactly one version of a secret. Versions, never "the newest", are what the journal remembers. */
export interface VersionRef extends SecretName {
  readonly version: string;
}

/** With whose rights a secret is changed. */
export type Authority =
  | { readonly as: "self" }
  | { readonly as: "admin"; readonly secret: SecretName; readonly account?: string }
  | { readonly as: "identity" };

export type PayloadFormat = "json" | "password";

/** One account of a target. */
export interface Slot {
  readonly account: string;
  /** Where to find the secret it has today, when that is not what the target publishes. */
  readonly initial?: SecretName;
}

/** One credential that is kept fresh, with everything resolved that the configuration says about it. */
export interface Target {
  readonly id: string;
  /** The rotator's type. */
  readonly type: string;
  /** Already parsed by the rotator's own schema. */
  readonly options: unknown;
  /** One: changed in place. Two: they take turns. */
  readonly slots: readonly Slot[];
  readonly authority: Authority;
  readonly publish: SecretName & { readonly as: PayloadFormat };
  /** The vault in which new secrets wait, when it is not the one that consumers read. */
  readonly pendingVault?: string;
  /** With whatever the target has otherwise than its policy says. */
  readonly policy: Policy;
  /** Why this policy, in words for an operator. */
  readonly policyWhy: string;
  readonly policiesPassedOver: readonly NotChosen[];
  /** Milliseconds a superseded secret of a pair stays valid. */
  readonly grace: number;
  /** Names of configured consumers. */
  readonly consumers: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

/** Where a target is, as consumers and people see it. */
export interface Endpoint {
  /** Such as `postgresql`. */
  readonly engine: string;
  readonly host: string;
  readonly port: number;
  readonly database?: string;
}

export function isTargetId(id: string): boolean {
  return targetIdPattern.test(id);
}

/** The name under which new secrets of a target wait. Never a name that consumers read. */
export function pendingName(target: Target): SecretName {
  const { pendingVault: vault = target.publish.vault } = target;
  return { vault, name: `keyturn-pending-${target.id}` };
}

export function sameVersion(a: VersionRef | undefined, b: VersionRef | undefined): boolean {
  return a?.vault === b?.vault && a?.name === b?.name && a?.version === b?.version;
}

/** Changes when anything changes that the due moment or the adoption of a target was derived from. */
export function computeFingerprint({ policy, publish, slots }: Target): string {
  const accounts = slots.map((slot) => slot.account).join(" ");
  return `${policyFingerprint(policy)} ${publish.vault}/${publish.name} ${accounts}`;
}

/** What of a fingerprint stands for that which was adopted: the secret and the accounts. */
export function adoptedPart(fingerprint: string): string {
  const end = fingerprint.indexOf(" ");
  return end < 0 ? "" : fingerprint.slice(end);
}
