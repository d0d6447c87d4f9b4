import { between, type Instant } from "../../core/time.ts";
import type { TargetSession } from "../session.ts";

/** Milliseconds for which the target may refuse a new secret after it accepted the change. */
export function getPropagation({ ports, target }: TargetSession): number {
  const rotator = ports.rotator(target.type);
  return rotator.findPropagation?.(target.options) ?? rotator.capabilities.propagation;
}

/** Whether the target may still refuse a secret that it got at this time. */
export function isPropagatingNow(session: TargetSession, since: Instant | undefined): boolean {
  if (since === undefined) return false;
  const waited = between(since, session.now());
  return waited >= 0 && waited < getPropagation(session);
}
