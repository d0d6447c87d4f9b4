import type { ZodType } from "zod";
import type { Credential } from "../core/secrets/secret.ts";
import type { Endpoint } from "../core/target.ts";

/** What the engine and the configuration check may plan with. Data, never a name: nothing branches on a type. */
export interface Capabilities {
  /** An account may change its own secret. Default in the field: no. */
  readonly selfService: boolean;
  /** An administrator with a log-in of its own may change it. */
  readonly admin: boolean;
  /** The secret may be changed with the application's own Azure identity. */
  readonly identity: boolean;
  /** Milliseconds during which a new secret may be refused before that means something. 0: at once. */
  readonly propagation: number;
}

/** The one authority the change is made with. A credential in it has just been proven live. */
export type Using =
  { readonly as: "self" | "admin"; readonly credential: Credential } | { readonly as: "identity" };

/** What every call to a target brings along. */
interface Call<Options> {
  readonly options: Options;
  /**
   * Milliseconds within which a connection to the target must be there, TLS and log-in included, as far as the driver
   * can tell; else the call ends with TargetUnavailableError. Absent: as long as `signal` lets it take.
   */
  readonly connectWithin?: number;
  /**
   * The log-in that the call makes, or succeeds in, may stay open for a few idle seconds, and be used by a later call that brings the
   * same options and the same credential as its authority. The rotator owns it and closes it. Absent: it ends with the call.
   */
  readonly mayStay?: boolean;
}

export interface Change<Options> extends Call<Options> {
  /** The account and the secret it is to have. */
  readonly next: Credential;
  readonly using: Using;
}

export interface Check<Options> extends Call<Options> {
  readonly credential: Credential;
  /** The administrator is asked for, who may live elsewhere than the accounts. */
  readonly as?: "admin";
}

/** An account, and the authority with which something is done about it. */
export interface Retire<Options> extends Call<Options> {
  readonly account: string;
  readonly using: Using;
}

export type Look<Options> = Retire<Options>;

export interface Examine<Options> extends Look<Options> {
  /** The account has just logged in from here, so nothing prevents that and only the right to change it is in question. */
  readonly isProven: boolean;
}

/** What the target says about an account and the authority over it, before the account's secret is changed. */
export interface Examination {
  /**
   * What prevents the account from logging in from here whatever its secret is, such as a lock, an expiry date, a
   * limit of connections or a list of allowed addresses. Whole sentences that name the account and what to do. Empty when nothing is
   * known; always empty when `isProven`.
   */
  readonly obstacles: readonly string[];
  /** Whether the authority may change the account's secret. */
  readonly right: Right;
}

/**
 * `proven`: the target itself said yes. `likely`: the target cannot be asked without trying. `missing`: the target said
 * no; `why` names the right that is missing, and the statement that grants it where there is one.
 */
export type Right =
  { readonly is: "proven" | "likely" } | { readonly is: "missing"; readonly why: string };

/**
 * One kind of system whose credentials can be rotated. Holds no state between calls, and keeps no connection open but those
 * that `mayStay` allows.
 *
 * The engine makes passwords, stores them, journals, decides what is live, retries, redacts and notifies. A rotator
 * changes and checks. Errors, by what is known when they are thrown:
 *
 * - `ConfigError`: our options are wrong, nothing was sent
 * - `TargetUnavailableError`: the target could not be asked, nothing was learnt
 * - `ChangeRefusedError`: the target said no, nothing changed
 * - `AuthorityRefusedError`: the target refused the log-in of `using`, so nothing was sent; its secret may just have changed
 * - `OutcomeUnknownError`: the line was lost after the change was sent. Whatever a rotator cannot name after it has
 *   sent the change is this one; before, it is `TargetUnavailableError`
 *
 * Every call ends soon after `signal` fires, with one of these errors.
 */
export interface Rotator<Options = unknown> {
  /** Name in configuration, logs and metrics. */
  readonly type: string;
  readonly options: ZodType<Options>;
  readonly capabilities: Capabilities;
  /** Pure: what consumers need besides account and secret. */
  endpoint(options: Options): Endpoint;
  /**
   * Pure: the part of a server within which the name of an account means one account, such as MongoDB's
   * authentication database. Absent: the whole server.
   */
  accountRealm?(options: Options): string;
  /**
   * Gives `change.next.account` its new secret and returns the credential now valid there. Safe to repeat: a crash
   * may have hidden an earlier success. Leaves every other account alone.
   */
  apply(change: Change<Options>, signal: AbortSignal): Promise<Credential>;
  /**
   * Logs in as a consumer would, always on a fresh connection, changing nothing. "rejected" means that the target answered
   * and refused the credential; a target that could not be asked throws TargetUnavailableError. A log-in for which the
   * target asked for no password proves nothing: that throws ConfigError.
   */
  verify(check: Check<Options>, signal: AbortSignal): Promise<"accepted" | "rejected">;
  /**
   * Asks, with one log-in of the authority, what prevents the account from logging in and whether the authority may
   * change it. "rejected" means that the target refused the authority's own credential. Changes nothing. Absent: the
   * system cannot be asked.
   */
  examine?(examine: Examine<Options>, signal: AbortSignal): Promise<Examination | "rejected">;
  /**
   * Whether anybody but us is logged in as the account at this moment, as far as the authority can see. What it cannot
   * tell counts as "yes". A list that does not show our own connection, or that shows only our own because a right is
   * missing, proves nothing: that throws ChangeRefusedError with the right that is missing. Changes nothing. Absent:
   * the system cannot be asked.
   */
  hasSessions?(look: Look<Options>, signal: AbortSignal): Promise<boolean>;
  /** Makes the account's secret useless without deleting the account. Safe to repeat. */
  retire?(retire: Retire<Options>, signal: AbortSignal): Promise<void>;
}
