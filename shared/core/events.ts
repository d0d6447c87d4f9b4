import type { Failure, Reason, WorkingPhase } from "./record/rotation.ts";
import type { VersionRef } from "./target.ts";
import type { Instant } from "./time.ts";

/** What happened, in the order it happened. Logs, history, notifications and progress are readers of this stream. */
export type EventType =
  | "claimed"
  | "adopted"
  | "shape-differs"
  | "held-back"
  | "started"
  | "staged"
  | "applied"
  | "verified"
  | "published"
  | "not-kept"
  | "checked"
  | "refreshed"
  | "cleaned"
  | "succeeded"
  | "restored"
  | "still-in-use"
  | "seen-unused"
  | "retired"
  | "attempt-failed"
  | "failed"
  | "blocked"
  | "drift"
  | "lease-lost"
  | "claim-lost-after-change"
  | "looked"
  | "checked-published"
  | "version-limit"
  | "left-alone"
  | "bug"
  | "notification-failed"
  | "config-changed"
  | "config-refused"
  | "config-unreadable"
  | "config-not-kept"
  | "journal-unavailable"
  | "message-unreadable"
  | "gave-up";

/** Names targets, accounts, versions, phases and durations. Never a secret. */
export interface KeyturnEvent {
  readonly type: EventType;
  readonly severity: Severity;
  readonly at: Instant;
  readonly targetId?: string;
  readonly rotationId?: string;
  readonly account?: string;
  readonly reason?: Reason;
  readonly phase?: WorkingPhase;
  readonly version?: VersionRef;
  /** Milliseconds the step took. */
  readonly duration?: number;
  readonly failure?: Failure;
  readonly nextAttemptAt?: Instant;
  readonly detail?: string;
}

export type EventReader = (event: KeyturnEvent) => void;

/** An event as whoever saw it happen tells it. */
export type EventInput = Omit<KeyturnEvent, "severity">;

export type Severity = "information" | "warning" | "error";

const severities: Partial<Record<EventType, Severity>> = {
  "attempt-failed": "warning",
  drift: "warning",
  restored: "warning",
  "left-alone": "warning",
  "not-kept": "warning",
  "shape-differs": "warning",
  bug: "error",
  "notification-failed": "warning",
  failed: "error",
  blocked: "error",
  "config-refused": "error",
  "config-unreadable": "warning",
  "config-not-kept": "warning",
  "journal-unavailable": "error",
  "message-unreadable": "error",
  "gave-up": "error",
  "claim-lost-after-change": "error",
  "version-limit": "warning",
};

export function toEvent(told: EventInput): KeyturnEvent {
  return { ...told, severity: severities[told.type] ?? "information" };
}
