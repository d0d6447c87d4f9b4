import type { Breach } from "../../core/breach/breach.ts";
import type { Changed } from "../../core/breach/transitions.ts";
import { type BreachView, viewBreach } from "../../core/breach/views.ts";
import { type EventType, toEvent } from "../../core/events.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Queue } from "../../stores/queue.ts";
import { retryOnConflict } from "../inbox/retry-on-conflict.ts";
import type { Ports } from "../ports.ts";
import { withNextAt } from "./breach-session.ts";
import { sendForBreach } from "./wake-breaches.ts";
import { type BreachAct, writeBreach } from "./write-breach.ts";

/** A change that cannot be made. `isStale`: what the preview showed is not true any more. */
export interface Refused {
  readonly refused: string;
  readonly isStale?: boolean;
}

/** The result of a decision about a breach, which may need other facts. */
type Decide = (breach: Breach, now: Instant) => Changed | Refused | Promise<Changed | Refused>;

/** Makes the change that a person wants, durably, and wakes a worker. Undefined when the breach does not exist. */
export type ChangeBreach = (
  breachId: string,
  how: { readonly event: EventType } & BreachAct,
  decide: Decide,
) => Promise<BreachView | Refused | undefined>;

export function makeBreachChanger(ports: Ports, firstQueue: Queue): ChangeBreach {
  const { journal } = ports;
  const now = () => toInstant(journal.now());
  return async (breachId, { event, ...act }, decide) => {
    const result = await retryOnConflict(ports, async () => {
      const found = await journal.breach(breachId);
      if (!found) return undefined;
      const changed = await decide(found.breach, now());
      if ("refused" in changed) return changed;
      const isNew = changed.breach !== found.breach;
      const breach = isNew ? withNextAt(changed.breach, now()) : found.breach;
      const change = { breach, before: found.breach, etag: found.etag, items: [] };
      if (isNew) await writeBreach(ports, change, act);
      return { breach, isNew };
    });
    if (!result || "refused" in result) return result;
    if (result.isNew) {
      ports.emit(toEvent({ type: event, at: now(), detail: `breach ${breachId}` }));
      await sendForBreach(firstQueue, breachId, "changed");
    }
    return viewBreach(result.breach, now());
  };
}
