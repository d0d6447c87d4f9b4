import { ConfigError } from "../errors.ts";
import { type Freeze, type LiftReason, type Policy } from "../policy/policy.ts";
import type { Justification, Origin } from "../record/justification.ts";
import type { Target } from "../target.ts";
import { isWanted, type TargetFilter } from "../target-filter.ts";
import { day, formatDuration, type Instant, plus } from "../time.ts";

/** Which targets a freeze applies to, now and when the configuration changes. Without a field, every target. */
export interface FreezeSelection extends Pick<TargetFilter, "policy" | "type" | "vault" | "tags"> {
  readonly targets?: readonly string[] | undefined;
}

/** A freeze that a person has set, next to those of the policies. Plain JSON. */
export interface OperatorFreeze extends Justification {
  /** A ULID. */
  readonly id: string;
  readonly at: Instant;
  readonly by: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly from: Instant;
  /** Every freeze ends. */
  readonly until: Instant;
  /** The reasons for which a rotation may start in spite of the freeze. */
  readonly lift: readonly LiftReason[];
  readonly selection: FreezeSelection;
  /** When a person ended it early. */
  readonly endedAt?: Instant;
  readonly endedBy?: string;
  readonly endReason?: string;
  readonly endTicket?: string;
}

/** What a freeze means for the policies of its targets. */
export type FreezeEffect = Pick<
  OperatorFreeze,
  "by" | "reason" | "from" | "until" | "lift" | "selection"
>;

/** A freeze as a person wants it. */
export type FreezeInput = Pick<
  OperatorFreeze,
  "by" | "reason" | "ticket" | "until" | "lift" | "selection"
> & {
  /** Absent: now. */
  readonly from?: Instant;
};

/** Milliseconds. A longer freeze belongs into a policy. */
const maxFreezeMs = 366 * day;

/** Each freeze is a part of the policy of each of its targets, and is computed with it. */
const maxOpenFreezes = 100;

/** Makes the freeze. Throws ConfigError unless it ends after its beginning, in the future, and not too late. */
export function makeFreeze(
  { from: begin, until, ...wanted }: FreezeInput,
  known: readonly OperatorFreeze[],
  id: string,
  now: Instant,
): OperatorFreeze {
  const from = begin ?? now;
  if (until <= now) throw new ConfigError("`until` must be in the future");
  if (until <= from) throw new ConfigError("`until` must be later than `from`");
  if (until > plus(now, maxFreezeMs)) {
    throw new ConfigError(`\`until\` must be at most ${formatDuration(maxFreezeMs)} ahead`);
  }
  if (known.filter((one) => !hasEnded(one, now)).length >= maxOpenFreezes) {
    throw new ConfigError(`At most ${maxOpenFreezes} freezes may be open. End one of them first`);
  }
  return { id, at: now, from, until, ...wanted };
}

export function hasEnded({ until, endedAt }: OperatorFreeze, now: Instant): boolean {
  return endedAt !== undefined || until <= now;
}

/** The freeze after a person ended it. The first end stays: the same object then, and when it has ended by itself. */
export function endFreeze(
  freeze: OperatorFreeze,
  { by, reason, ticket }: Origin,
  now: Instant,
): OperatorFreeze {
  if (hasEnded(freeze, now)) return freeze;
  return {
    ...freeze,
    endedAt: now,
    endedBy: by,
    ...(reason !== undefined && { endReason: reason }),
    ...(ticket !== undefined && { endTicket: ticket }),
  };
}

export function isFrozenBy(
  target: Target,
  { selection }: Pick<OperatorFreeze, "selection">,
): boolean {
  const { targets, ...filter } = selection;
  return (targets === undefined || targets.includes(target.id)) && isWanted(target, filter);
}

/**
 * The target with the freezes that apply to it in its policy. Everything that knows the freezes of a policy so knows these. The
 * fingerprint of the policy changes with them on purpose: the begin and the end of a freeze reschedule exactly the targets that it
 * applies to, and release what waits for it. The same object when no freeze applies.
 */
export function withFreezes(target: Target, freezes: readonly FreezeEffect[]): Target {
  const own = freezes.filter((freeze) => isFrozenBy(target, freeze));
  if (own.length === 0) return target;
  const policy: Policy = {
    ...target.policy,
    freeze: [...(target.policy.freeze ?? []), ...own.map(toPolicyFreeze)],
  };
  return { ...target, policy };
}

function toPolicyFreeze({ from, until, reason, by, lift }: FreezeEffect): Freeze {
  return { from, to: until, reason: `${reason}, set by ${by}`, lift };
}
