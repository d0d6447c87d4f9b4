import { TargetUnavailableError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";

/** The account was refused too often of late. Nothing was asked: another wrong guess might lock it. */
export class GuessPauseError extends TargetUnavailableError {
  readonly until: Instant;

  constructor(account: string, until: Instant) {
    super(
      `account ${account} was refused too often within minutes; so as not to lock it, it is not asked before ${until}`,
    );
    this.until = until;
  }
}
