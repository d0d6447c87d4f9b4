import type { Breach } from "../../core/breach/breach.ts";
import { ConfigError } from "../../core/errors.ts";
import { between, type Instant, minute } from "../../core/time.ts";

export const notConfigured = "The target is no longer configured";

/** The configuration of this instance does not contain the target. */
export class UnknownTargetError extends ConfigError {
  constructor() {
    super(notConfigured);
  }
}

/** Milliseconds after which an unknown target counts as removed. Until then this instance may have an older configuration. */
const unknownFor = 2 * minute;

/** Whether a target that this instance does not know was removed. */
export function isRemoved({ confirmed, resumed }: Breach, now: Instant): boolean {
  const since = resumed?.at ?? confirmed?.at ?? now;
  return between(since, now) >= unknownFor;
}
