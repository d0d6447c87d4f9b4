import { createHash } from "node:crypto";
import type { PasswordRules } from "../secrets/password.ts";
import { day } from "../time.ts";

/** How failures are retried. Distances in milliseconds. */
export interface RetryPolicy {
  /** Tries before the distance becomes `thenEvery`. */
  readonly attempts: number;
  readonly every: number;
  readonly thenEvery: number;
  /** The greatest part of a distance that is added to it, from 0 to 1; a tenth when absent. */
  readonly jitter?: number;
}

export const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
export type Weekday = (typeof weekdays)[number];

/** `HH:MM` on a 24-hour clock; `24:00` is the end of the day. */
export type TimeOfDay = string;

/** Up to but not including `to`. Crosses midnight when `to` is not after `from`. */
export interface TimeRange {
  readonly from: TimeOfDay;
  readonly to: TimeOfDay;
}

/** Why a change may start although a freeze is in force. */
export const liftReasons = ["exposure", "breach", "operator"] as const;
export type LiftReason = (typeof liftReasons)[number];

/**
 * No change starts in it. `from` and `to` are whole days in the policy's zone (`2026-12-20`, the last one included)
 * or instants with a zone of their own (`2026-12-20T18:00:00Z`, `to` not included).
 */
export interface Freeze {
  readonly from: string;
  readonly to: string;
  /** For people: shown wherever a change is held back. */
  readonly reason: string;
  /** For these reasons a change starts all the same. */
  readonly lift: readonly LiftReason[];
}

/**
 * Which targets a policy is for. All criteria given must hold; of a list, one is enough. Texts may hold `*` (any
 * characters) and `?` (one).
 */
export interface Match {
  readonly type?: readonly string[];
  readonly vault?: readonly string[];
  /** Compared without regard to case. */
  readonly host?: readonly string[];
  readonly owner?: readonly string[];
  readonly environment?: readonly string[];
  readonly target?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
}

/** What happens to a credential that is taken under management. */
export interface Adoption {
  /** `verify`: nothing changes until the first due moment or an operator's word. */
  readonly mode: "verify" | "rotate";
  /** Milliseconds from the adoption to the first change; none when absent. Only for `rotate`. */
  readonly delay?: number;
}

/** Milliseconds that one attempt may take, within what the engine allows. */
export interface Timeouts {
  /** For a connection to the target, TLS and log-in included. A part of the other two. */
  readonly connect?: number;
  readonly change?: number;
  readonly verify?: number;
}

export const retireWhen = ["grace", "proof"] as const;
export type RetireWhen = (typeof retireWhen)[number];

/** When a target must or may be rotated, how its passwords look, how failures are retried. Durations in milliseconds. */
export interface Policy {
  readonly name: string;

  /** Maximum age since the last successful change: then a change is due. */
  readonly every?: number;
  /** A change may start this much before it is due, if a window is open then. */
  readonly headStart?: number;
  /** Due this long after the first exposure since the last change. */
  readonly afterExposure?: number;
  /** Changes that exposures make due wait for no window. Freezes still hold them back unless lifted. */
  readonly exposureIgnoresWindow?: boolean;
  /** Who may see a secret without starting the clock. Texts may hold `*` and `?`; case does not matter. */
  readonly exemptIdentities?: readonly string[];
  /** Due when unused, and unchanged, for this long. Nothing is due by it until a use has been reported. */
  readonly afterIdle?: number;
  /** Nothing is due by schedule. What `afterExposure` says still counts. */
  readonly manualOnly?: boolean;

  /** Days on which a change may start. A range over midnight belongs to the day it starts on. */
  readonly days?: readonly Weekday[];
  /** Ranges of hours in which a change may start. Not together with `at`. */
  readonly between?: readonly TimeRange[];
  /** Appointments: a change starts at one of these, and otherwise not. */
  readonly at?: readonly TimeOfDay[];
  /** Five fields; appointments on days, instead of `days`, `between` and `at`. Without `every`, each one is due. */
  readonly cron?: string;
  /** IANA name; UTC when absent. */
  readonly timeZone?: string;
  readonly freeze?: readonly Freeze[];
  /** Starts are spread over this long after a window opens or an appointment comes. */
  readonly spread?: number;

  /** Of the policies that match a target, the one with the greatest wins; 0 when absent. */
  readonly priority?: number;
  /** Without it a policy is only for targets that name it. */
  readonly match?: Match;

  readonly password: PasswordRules;
  readonly retry: RetryPolicy;
  readonly timeouts?: Timeouts;
  /** How long a superseded secret of a pair stays valid. */
  readonly grace?: number;
  /**
   * When a superseded secret of a pair is made useless: as soon as its grace is over, or once nobody is seen using it
   * after that. After the grace when absent.
   */
  readonly retire?: RetireWhen;
  /** To verify, when absent. */
  readonly adopt?: Adoption;
  /** A version expires this long after its secret is due to be replaced; `nearExpiryLead` when absent. */
  readonly expiry?: number | "none";
}

/** Key Vault announces an expiry this long before it happens; fixed by the platform. */
export const nearExpiryLead = 30 * day;

/** What a target may have otherwise than its policy says. Its name and to whom it applies stay. */
export type PolicyFields = Omit<Policy, "name" | "match" | "priority">;

/** Tells whether a policy is the one a stored due moment was computed from. */
export function policyFingerprint(policy: Policy): string {
  const canonical = JSON.stringify(policy, (_key, value: unknown) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash("sha256").update(canonical).digest("hex").slice(0, 16);
}
