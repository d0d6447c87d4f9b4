/**
 * "Look at this target now." A hint: it may be lost, doubled or late without harm, because the journal and not the
 * message says how far a rotation got. Holds nothing secret.
 */
export interface WorkMessage {
  readonly targetId: string;
  /** Why the target is looked at, for people: `due`, `requested`, `near-expiry`, `retry` … */
  readonly because: string;
}

export interface Queue {
  /**
   * `delay` in milliseconds, rounded up to whole seconds and cut to seven days: a hint may come early. Throws
   * QueueUnavailableError.
   */
  send(message: WorkMessage, delay?: number): Promise<void>;
}

export class QueueUnavailableError extends Error {
  override readonly name = "QueueUnavailableError";
}
