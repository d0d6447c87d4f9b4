import { TargetUnavailableError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";

/** The target has refused the account too often recently. No log-in was tried: another wrong guess might lock the account. */
export class GuessPauseError extends TargetUnavailableError {
  readonly until: Instant;

  constructor(account: string, until: Instant) {
    super(
      `the target refused log-ins of account ${account} too often. To avoid a lock of the account, Keyturn does not log in before ${until}`,
    );
    this.until = until;
  }
}
