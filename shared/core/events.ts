import type { Failure, Reason, WorkingPhase } from "./record/record.ts";
import type { VersionRef } from "./target.ts";
import type { Instant } from "./time.ts";

/** The types of events, which Keyturn emits in the order in which they happen. Logs and the console read this stream. */
export type EventType =
  | "claimed"
  | "adopted"
  | "shape-differs"
  | "value-due"
  | "held-back"
  | "paused"
  | "resumed"
  | "rotation-cancelled"
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
  | "sealed"
  | "ledger-failed"
  | "notification-failed"
  | "breach-started"
  | "breach-paused"
  | "breach-resumed"
  | "breach-cancelled"
  | "breach-ended"
  | "config-changed"
  | "config-refused"
  | "config-unreadable"
  | "config-not-kept"
  | "journal-unavailable"
  | "message-unreadable"
  | "gave-up";

/** An event names targets, accounts, versions, phases and durations. It never contains a secret. */
export interface KeyturnEvent {
  readonly type: EventType;
  readonly severity: Severity;
  readonly at: Instant;
  readonly targetId?: string;
  readonly rotationId?: string;
  readonly account?: string;
  readonly cause?: Reason;
  readonly phase?: WorkingPhase;
  readonly version?: VersionRef;
  /** Milliseconds the step took. */
  readonly duration?: number;
  readonly failure?: Failure;
  readonly nextAttemptAt?: Instant;
  readonly detail?: string;
}

export type EventReader = (event: KeyturnEvent) => void;

/** An event as the code that emits it passes it on. */
export type EventInput = Omit<KeyturnEvent, "severity">;

export type Severity = "information" | "warning" | "error";

const severities: Partial<Record<EventType, Severity>> = {
  "attempt-failed": "warning",
  drift: "warning",
  restored: "warning",
  "left-alone": "warning",
  "not-kept": "warning",
  "shape-differs": "warning",
  "value-due": "warning",
  bug: "error",
  "ledger-failed": "warning",
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

export function toEvent(input: EventInput): KeyturnEvent {
  return { ...input, severity: severities[input.type] ?? "information" };
}
