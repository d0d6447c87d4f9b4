import { hashOf } from "../canonical.ts";
import type { PasswordRules } from "../secrets/password.ts";
import { day } from "../time.ts";

/** How failures are retried. Intervals are in milliseconds. */
export interface RetryPolicy {
  /** Attempts before the interval becomes `thenEvery`. */
  readonly attempts: number;
  readonly every: number;
  readonly thenEvery: number;
  /** The maximum fraction of an interval that is added to it, from 0 to 1. Absent: 0.1. */
  readonly jitter?: number;
}

export const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
export type Weekday = (typeof weekdays)[number];

/** A time of day as `HH:MM` on a 24-hour clock. `24:00` is the end of the day. */
export type TimeOfDay = string;

/** A range of hours that does not include `to`. It spans midnight if `to` is not after `from`. */
export interface TimeRange {
  readonly from: TimeOfDay;
  readonly to: TimeOfDay;
}

/** The reasons for which a change may start during a freeze. */
export const liftReasons = ["exposure", "breach", "operator"] as const;
export type LiftReason = (typeof liftReasons)[number];

/**
 * A period in which no change starts. `from` and `to` are whole days in the zone of the policy (`2026-12-20`, the last day
 * included), or instants with their own offset (`2026-12-20T18:00:00Z`, `to` not included).
 */
export interface Freeze {
  readonly from: string;
  readonly to: string;
  /** The reason for the freeze. It is shown to operators with every delayed change. */
  readonly reason: string;
  /** The reasons for which a change may start in spite of the freeze. */
  readonly lift: readonly LiftReason[];
}

/**
 * Selects the targets of a policy. Every given criterion must match; in a list, one match is enough. Texts may contain `*`
 * (any characters) and `?` (one character).
 */
export interface Match {
  readonly type?: readonly string[];
  readonly vault?: readonly string[];
  /** Hosts are case-insensitive. */
  readonly host?: readonly string[];
  readonly owner?: readonly string[];
  readonly environment?: readonly string[];
  readonly target?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
}

/** What happens when a credential is adopted. */
export interface Adoption {
  /** `verify`: the password is not changed before the first due moment or the request of an operator. */
  readonly mode: "verify" | "rotate";
  /** Milliseconds from the adoption to the first change, for `rotate` only. Absent: 0. */
  readonly delay?: number;
}

/** Milliseconds that one attempt may take, up to the limits of the engine. */
export interface Timeouts {
  /** The limit for connecting to the target, including TLS and log-in. It is a part of the other two. */
  readonly connect?: number;
  readonly change?: number;
  readonly verify?: number;
}

export const retireWhen = ["grace", "proof"] as const;
export type RetireWhen = (typeof retireWhen)[number];

/** When a target must or may be rotated, which passwords it gets, and how failures are retried. Durations are in milliseconds. */
export interface Policy {
  readonly name: string;

  /** The maximum age since the last successful change. At this age a change is due. */
  readonly every?: number;
  /** How much before the due moment a change may start, if a window is open then. */
  readonly headStart?: number;
  /** The time from the first exposure since the last change to the due moment. */
  readonly afterExposure?: number;
  /** Whether changes that exposures make due ignore windows. Freezes still delay them unless lifted. */
  readonly exposureIgnoresWindow?: boolean;
  /** Identities whose exposures have no effect. Texts may contain `*` and `?`, and are case-insensitive. */
  readonly exemptIdentities?: readonly string[];
  /** A change is due when the secret was neither used nor changed for this time. No effect before a use is reported. */
  readonly afterIdle?: number;
  /** Whether no change is due by schedule. `afterExposure` still applies. */
  readonly manualOnly?: boolean;

  /** Days on which a change may start. A range that spans midnight belongs to the day on which it begins. */
  readonly days?: readonly Weekday[];
  /** Ranges of hours in which a change may start. Cannot be combined with `at`. */
  readonly between?: readonly TimeRange[];
  /** Appointments: the only times at which a change starts. */
  readonly at?: readonly TimeOfDay[];
  /** Appointments in five fields, instead of `days`, `between` and `at`. Without `every`, a change is due at each of them. */
  readonly cron?: string;
  /** The IANA name of the time zone. Absent: UTC. */
  readonly timeZone?: string;
  readonly freeze?: readonly Freeze[];
  /** The period over which starts are spread after a window opens or an appointment comes. */
  readonly spread?: number;

  /** If several policies match a target, the highest priority wins. Absent: 0. */
  readonly priority?: number;
  /** Absent: the policy applies only to targets that name it. */
  readonly match?: Match;

  readonly password: PasswordRules;
  readonly retry: RetryPolicy;
  readonly timeouts?: Timeouts;
  /** How long a superseded secret stays valid. */
  readonly grace?: number;
  /**
   * When the superseded account of a pair is retired: after its grace, or after its grace as soon as no sessions use it. Absent:
   * after the grace.
   */
  readonly retire?: RetireWhen;
  /** Whether the previous secret may be published again on request. Absent: true. */
  readonly undo?: boolean;
  /** Absent: `verify`. */
  readonly adopt?: Adoption;
  /**
   * Milliseconds between two log-ins that check the published secret (heartbeat). Absent: `none`; the configuration sets
   * `usualVerifyEvery`.
   */
  readonly verifyEvery?: number | "none";
  /** The time from the due moment of the next rotation to the expiry of a version. Absent: `nearExpiryLead`. */
  readonly expiry?: number | "none";
}

/** How long before an expiry Key Vault emits its near-expiry event. Azure fixes this time. */
export const nearExpiryLead = 30 * day;

/** Milliseconds that a superseded secret stays valid, where a policy sets nothing else. */
export const usualGrace = day;

/** Milliseconds between two heartbeats, where a policy sets nothing else. */
export const usualVerifyEvery = day;

/** The fields that a target can override. The name of a policy and its `match` stay. */
export type PolicyFields = Omit<Policy, "name" | "match" | "priority">;

/** Identifies the policy from which a stored due moment was computed. */
export function fingerprintPolicy(policy: Policy): string {
  return hashOf(policy).slice(0, 16);
}
