import type { Breach } from "../../core/breach/breach.ts";
import type { Changed } from "../../core/breach/transitions.ts";
import { type BreachView, viewBreach } from "../../core/breach/views.ts";
import { type EventType, toEvent } from "../../core/events.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Queue } from "../../stores/queue.ts";
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

/**
 * Makes the change that a person wants, durably, and wakes a worker. Undefined when the breach does not exist. Throws LeaseLostError
 * when others changed the breach meanwhile.
 */
export type ChangeBreach = (
  breachId: string,
  how: { readonly event: EventType } & BreachAct,
  decide: Decide,
) => Promise<BreachView | Refused | undefined>;

export function makeBreachChanger(ports: Ports, firstQueue: Queue): ChangeBreach {
  const { journal } = ports;
  const now = () => toInstant(journal.now());
  return async (breachId, { event, ...act }, decide) => {
    const found = await journal.breach(breachId);
    if (!found) return undefined;
    const changed = await decide(found.breach, now());
    if ("refused" in changed) return changed;
    if (changed.breach === found.breach) return viewBreach(found.breach, now());
    const breach = withNextAt(changed.breach, now());
    await writeBreach(ports, { breach, before: found.breach, etag: found.etag, items: [] }, act);
    ports.emit(toEvent({ type: event, at: now(), detail: `breach ${breachId}` }));
    await sendForBreach(firstQueue, breachId, "changed");
    return viewBreach(breach, now());
  };
}
