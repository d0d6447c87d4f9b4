import { type Origin, storeJustification } from "../record/justification.ts";
import type { Notification } from "../record/record.ts";
import { maxNameLength, shorten } from "../shorten.ts";
import type { Instant } from "../time.ts";
import { type Act, type Breach, isOpen } from "./breach.ts";

/** How a person wants the breach to run. */
export interface Confirmation extends Origin {
  /** Whether pauses of targets do not delay it. */
  readonly force: boolean;
  /** Whether no freeze delays it. */
  readonly liftFreezes: boolean;
}

/** The change, or why it cannot be made now. The same breach when it was made before. */
export type Changed = { readonly breach: Breach } | { readonly refused: string };

/** The breach after a person confirmed its preview. Confirming it again in the same way changes nothing. */
export function confirm(
  breach: Breach,
  { force, liftFreezes, ...origin }: Confirmation,
  now: Instant,
): Changed {
  if (breach.confirmed) {
    const isSame =
      (breach.force ?? false) === force && (breach.liftFreezes ?? false) === liftFreezes;
    if (isSame) return { breach };
    return refuse(breach, "it was confirmed with other values of `force` and `liftFreezes`");
  }
  if (breach.cancelled) return refuse(breach, "it was cancelled. Make a new preview");
  if (!isOpen(breach, now)) {
    return refuse(breach, `its preview has expired, at ${breach.expiresAt}. Make a new preview`);
  }
  const started: Breach = {
    ...breach,
    state: "running",
    confirmed: act(origin, now),
    ...(force && { force }),
    ...(liftFreezes && { liftFreezes }),
    nextAt: now,
  };
  return { breach: notify(started, "breach.started", now) };
}

/** The breach in which no rotation begins until somebody resumes it. */
export function pause(breach: Breach, origin: Origin, now: Instant): Changed {
  const { state } = breach;
  if (state === "paused") return { breach };
  if (state !== "running") return refuse(breach, explainState(state, "running"));
  return { breach: { ...breach, state: "paused", paused: act(origin, now), nextAt: now } };
}

export function resume(breach: Breach, origin: Origin, now: Instant): Changed {
  const { state } = breach;
  if (state === "running") return { breach };
  if (state !== "paused") return refuse(breach, explainState(state, "paused"));
  return { breach: { ...breach, state: "running", resumed: act(origin, now), nextAt: now } };
}

/** The breach in which no other rotation begins. A preview ends at once. */
export function cancel(breach: Breach, origin: Origin, now: Instant): Changed {
  const { state } = breach;
  if (breach.cancelled) return { breach };
  if (state === "ended") return refuse(breach, hasEnded);
  const cancelled = act(origin, now);
  if (state === "preview")
    return { breach: { ...breach, state: "ended", cancelled, endedAt: now } };
  return { breach: { ...breach, state: "stopping", cancelled, nextAt: now } };
}

/** The breach after its last target has its outcome; otherwise the same breach. */
export function endIfDone(breach: Breach, now: Instant): Breach {
  const { state, counts } = breach;
  if (state === "preview" || state === "ended" || counts.waiting + counts.begun > 0) return breach;
  return notify({ ...breach, state: "ended", endedAt: now }, "breach.ended", now);
}

const hasEnded = "it has ended";

function explainState(state: Breach["state"], wanted: Breach["state"]): string {
  return state === "ended" ? hasEnded : `it is not ${wanted} (state: ${state})`;
}

function refuse({ id }: Breach, why: string): { readonly refused: string } {
  return { refused: `Breach ${id} cannot be changed so: ${why}.` };
}

function act({ by, ...given }: Origin, at: Instant): Act {
  const { justification = {} } = storeJustification(given);
  return { by: shorten(by, maxNameLength), at, ...justification };
}

/** Adds a notification. Its id is the same in every repetition. */
function notify(breach: Breach, type: "breach.started" | "breach.ended", at: Instant): Breach {
  const { id, reason, ticket, counts, summary, confirmed } = breach;
  const notification: Notification = {
    id: `breach/${id}/${type}`,
    type,
    targetId: "keyturn",
    at,
    data: {
      breach: id,
      reason,
      ...(ticket !== undefined && { ticket }),
      ...(confirmed && { by: confirmed.by }),
      targets: summary.targets,
      ...(type === "breach.ended" && {
        rotated: counts.rotated,
        failed: counts.failed,
        blocked: counts.blocked,
        unfinished: counts.unfinished,
        left: counts.left,
      }),
    },
  };
  return { ...breach, outbox: [...breach.outbox, notification] };
}
