/**
 * A wake-up: a message for a worker to check whether a target, or a breach, has due work. It may be lost, duplicated or late without harm, because the journal, and not the
 * message, holds the state of a rotation. It contains no secret.
 */
export type WorkMessage = TargetMessage | BreachMessage;

export interface TargetMessage {
  readonly targetId: string;
  readonly breachId?: undefined;
  /** Why the target is checked, for people: `due`, `requested`, `near-expiry`, `retry` … */
  readonly because: string;
}

export interface BreachMessage {
  readonly breachId: string;
  readonly targetId?: undefined;
  /** Why the breach is advanced, for people: `confirmed`, `next`, `due` … */
  readonly because: string;
}

export interface Queue {
  /**
   * `delay` is in milliseconds, rounded up to whole seconds and limited to seven days, because a message may come early. Throws
   * QueueUnavailableError.
   */
  send(message: WorkMessage, delay?: number): Promise<void>;
}

export class QueueUnavailableError extends Error {
  override readonly name = "QueueUnavailableError";
}
