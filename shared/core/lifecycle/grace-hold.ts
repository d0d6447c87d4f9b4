import {
  keyturn,
  mayHaveChanged,
  type Rotation,
  type RotationRequest,
  schedule,
  type TargetRecord,
} from "../record/rotation.ts";
import { accountToChange } from "../record/slots.ts";
import type { Target } from "../target.ts";
import { type Instant, plus, second } from "../time.ts";

/** Until when a rotation or a request is delayed, and why. */
export interface Hold {
  readonly until: Instant;
  readonly why: string;
}

/** The fields of a rotation or request on which this hold depends. Without `at` the time of the request is not known. */
export type Wanted = Pick<RotationRequest, "reason" | "requestedBy" | "grace"> & {
  readonly at?: Instant;
};

/**
 * Until when the account to change is left alone, because somebody published the other account of the pair by hand and consumers may
 * still use this one. Does not apply to exposures, to a published secret that does not work, and to a request of a person made after the
 * publication. A shorter grace of the request counts.
 */
export function findGraceHold(
  record: TargetRecord,
  { reason, requestedBy, at, grace }: Wanted,
  target: Target,
  now: Instant,
): Hold | undefined {
  const { superseded, refusedSince } = record;
  if (superseded?.account !== accountToChange(target, record)) return undefined;
  if (reason === "exposure" || refusedSince !== undefined) return undefined;
  const isPerson = requestedBy !== schedule && requestedBy !== keyturn;
  // Vaults count in whole seconds: within the same second nobody knows which came first.
  if (isPerson && at !== undefined && at >= plus(superseded.at, second)) return undefined;
  const { account } = superseded;
  const until = plus(superseded.at, Math.min(grace ?? target.grace, target.grace));
  if (until <= now) return undefined;
  const why =
    `the other account was published by hand at ${superseded.at}, and consumers may use ${account} until its grace ends at ${until}. ` +
    `A rotation with reason exposure does not wait`;
  return { until, why };
}

/** The same for an open rotation. The account that the rotation may have changed already is not left alone. */
export function findGraceHoldOfOpen(
  record: TargetRecord,
  rotation: Rotation,
  target: Target,
  now: Instant,
): Hold | undefined {
  const isTheirs = rotation.account === accountToChange(target, record);
  if (mayHaveChanged(rotation) && isTheirs) return undefined;
  return findGraceHold(record, { ...rotation, at: rotation.requestedAt }, target, now);
}

/**
 * The record after somebody published the account `active` by hand at `at`. Consumers may use the account that was published before until
 * the end of its grace, so it is not retired earlier either.
 */
export function withSuperseded(
  record: TargetRecord,
  { active, at }: { readonly active: string; readonly at: Instant },
  { grace }: Target,
): TargetRecord {
  const { active: account, retirement } = record;
  if (account === undefined || account === active) return { ...record, active };
  const end = plus(at, grace);
  const isEarly = retirement?.account === account && retirement.at < end;
  return {
    ...record,
    active,
    superseded: { account, at },
    ...(isEarly && { retirement: { ...retirement, at: end } }),
  };
}
