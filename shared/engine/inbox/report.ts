import { wakeAt } from "../../core/lifecycle/decide.ts";
import { newRecord, type TargetRecord, withoutSkip } from "../../core/record/rotation.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Ports } from "../ports.ts";
import { reschedule } from "../work/reschedule.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";

/**
 * Takes what somebody reports of a target, whether or not a worker holds it at the moment. Durable when it returns;
 * nothing is written when `accept` gives back the very record that it was given.
 */
export function report<Accepted extends { readonly record: TargetRecord }>(
  ports: Pick<Ports, "journal" | "pause" | "randomBytes">,
  target: Target,
  accept: (record: TargetRecord, now: Instant) => Accepted,
): Promise<Accepted> {
  return retryOnConflict(ports, async () => {
    const { journal } = ports;
    const found = await journal.read(target.id);
    const now = toInstant(journal.now());
    const known = found?.record ?? newRecord(target.id);
    // A worker that holds it plans anew by itself.
    const before = known.claim.owner === undefined ? reschedule(known, target, now) : known;
    const accepted = accept(before, now);
    // What is reported may be why the target must be looked at now.
    const record = accepted.record === before ? before : withoutSkip(accepted.record);
    if (record !== before) {
      await journal.commit({ record, etag: found?.etag, wakeAt: wakeAt(record, now) });
    }
    return accepted;
  });
}
