import type { NotChosen } from "./policy/choose.ts";
import { fingerprintPolicy, type Policy } from "./policy/policy.ts";
import { day } from "./time.ts";

/** The names of vaults, policies and consumers have the same form. */
export const targetIdPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The longest grace period, in milliseconds. */
export const maxGraceMs = 3650 * day;

/** Milliseconds. A superseded secret must end before the next rotation changes its account again. */
export function findMaxGrace({ every = maxGraceMs }: Pick<Policy, "every">): number {
  return Math.min(every, maxGraceMs);
}

/** The name of a secret in one of the configured vaults. */
export interface SecretName {
  readonly vault: string;
  readonly name: string;
}

/** One version of a secret. The journal remembers exact versions, never "the newest". */
export interface VersionRef extends SecretName {
  readonly version: string;
}

/** The account or identity whose rights change a secret. */
export type Authority =
  | { readonly as: "self" }
  | { readonly as: "admin"; readonly secret: SecretName; readonly account?: string }
  | { readonly as: "identity" };

/** Connection texts in the syntax of a family of clients. Which of them a system has, `findForm` says. */
export const textForms = ["uri", "jdbc", "ado", "odbc", "libpq", "sqlalchemy"] as const;
export type TextFormName = (typeof textForms)[number];

export const payloadFormats = ["json", "password", "connection-string", ...textForms] as const;
export type PayloadFormat = (typeof payloadFormats)[number];

/** One account of a target. */
export interface Slot {
  readonly account: string;
  /** The secret that holds the current password, if it is not the published secret. */
  readonly initial?: SecretName;
}

/** One credential that Keyturn rotates, with all its configuration resolved. */
export interface Target {
  readonly id: string;
  /** The rotator's type. */
  readonly type: string;
  /** The schema of the rotator has parsed these options. */
  readonly options: unknown;
  /** A single account is changed in place. The two accounts of a pair take turns. */
  readonly slots: readonly Slot[];
  readonly authority: Authority;
  readonly publish: SecretName & { readonly as: PayloadFormat };
  /** The vault for pending secrets, if it is not the vault that consumers read. */
  readonly pendingVault?: string;
  /** The policy, with the fields that the target overrides. */
  readonly policy: Policy;
  /** Why this policy applies, in words for an operator. */
  readonly policyWhy: string;
  readonly policiesPassedOver: readonly NotChosen[];
  /** Milliseconds a superseded secret stays valid, if consumers have a grace. */
  readonly grace: number;
  /** The system can keep the superseded secret of an account valid beside the new one. Only a single account needs that. */
  readonly overlap?: boolean;
  /**
   * Who creates the secrets, if not Keyturn: the `system` itself when it is asked to, or `people`, who hand them over. Keyturn cannot set
   * these secrets.
   */
  readonly origin?: "system" | "people";
  /** Milliseconds after which the system ends a secret that it has created. Absent: it ends none. */
  readonly lifetime?: number;
  /** The target that this one follows: each successful rotation of it requests one of this target. */
  readonly after?: string;
  /** Names of configured consumers. */
  readonly consumers: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

/** The address of a target, as consumers and people see it. */
export interface Endpoint {
  /** The database system, such as `postgresql`. */
  readonly engine: string;
  readonly host: string;
  readonly port: number;
  readonly database?: string;
  /** Every address of a system of several servers, as `name:port`; any of them may answer. They are published as `hosts`. */
  readonly members?: readonly string[];
  /** Other values that consumers need to connect, by the keys under which they are published, such as `authSource`. No secrets. */
  readonly more?: Readonly<Record<string, string>>;
  /** False: consumers connect without TLS. Absent: with TLS, and they verify the server. JSON does not contain it. */
  readonly tls?: false;
}

/** Every address of the system, as `host:port`. */
export function listAddresses({ host, port, members }: Endpoint): readonly string[] {
  return members ?? [`${host}:${port}`];
}

/** Its addresses in one text that does not depend on their order. */
export function nameServer(endpoint: Endpoint): string {
  return listAddresses(endpoint).toSorted().join(",");
}

/** Whether the target has one account, which has two valid secrets during a rotation. */
export function hasOverlap({ slots, overlap = false }: Pick<Target, "slots" | "overlap">): boolean {
  return slots.length === 1 && overlap;
}

/** Whether consumers have time to read the new secret: the superseded one stays valid for a while. */
export function hasGrace(target: Pick<Target, "slots" | "overlap">): boolean {
  return target.slots.length > 1 || hasOverlap(target);
}

/** Whether Keyturn ends the superseded secret. An account of a pair that changes itself is not retired. */
export function endsSuperseded(target: Pick<Target, "slots" | "authority" | "overlap">): boolean {
  return target.slots.length > 1 ? target.authority.as !== "self" : hasOverlap(target);
}

export function isTargetId(id: string): boolean {
  return targetIdPattern.test(id);
}

/** The name of the secret that holds pending secrets of a target. Consumers never read this name. */
export function toPendingName(target: Target): SecretName {
  const { pendingVault: vault = target.publish.vault } = target;
  return { vault, name: `keyturn-pending-${target.id}` };
}

export function isSameVersion(a: VersionRef | undefined, b: VersionRef | undefined): boolean {
  return a?.vault === b?.vault && a?.name === b?.name && a?.version === b?.version;
}

/** A text that changes when any input of the due time or of the adoption of a target changes. */
export function computeFingerprint({ policy, publish, slots }: Target): string {
  const accounts = slots.map((slot) => slot.account).join(" ");
  return `${fingerprintPolicy(policy)} ${publish.vault}/${publish.name} ${accounts}`;
}

/** The part of a fingerprint that stands for the adopted secret and accounts. */
export function extractAdoptedPart(fingerprint: string): string {
  const end = fingerprint.indexOf(" ");
  return end < 0 ? "" : fingerprint.slice(end);
}
