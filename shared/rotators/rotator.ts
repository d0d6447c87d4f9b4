import type { ZodType } from "zod";
import type { PasswordRules } from "../core/secrets/password.ts";
import type { Credential, Secret } from "../core/secrets/secret.ts";
import type { ServerRules } from "../core/secrets/server-rules.ts";
import type { Endpoint } from "../core/target.ts";
import type { Instant } from "../core/time.ts";

/** The properties of a rotator that the engine and the configuration check use. They never branch on the name of a type. */
export interface Capabilities {
  /** An account may change its own secret. Default in the field: no. */
  readonly selfService: boolean;
  /** An administrator with its own log-in may change the secret. */
  readonly admin: boolean;
  /** The app's Azure identity may change the secret. */
  readonly identity: boolean;
  /** Milliseconds during which the target may still refuse a new secret after a change. 0: a refusal counts at once. */
  readonly propagation: number;
  /** `verify` needs the admin too, because the system answers nobody else. Only of rotators that require an admin. Absent: no. */
  readonly verifiesWithAdmin?: true;
}

/** The authority that makes the change. Its credential, if any, has just been proven to work. */
export type Using =
  { readonly as: "self" | "admin"; readonly credential: Credential } | AzureIdentity;

/** The Azure identity of the app. */
export interface AzureIdentity {
  readonly as: "identity";
  /**
   * A token for the scope, such as `https://database.windows.net/.default`. Throws TargetUnavailableError when Azure gives none. The
   * token is redacted like every other secret. Request it when it is used, because it expires.
   */
  getToken(scope: string, signal: AbortSignal): Promise<Secret>;
}

/** The input of every call to a target. */
interface Call<Options> {
  readonly options: Options;
  /** The id of the target, for systems that log who sent a request. Absent: the caller has none. */
  readonly targetId?: string;
  /** The id of the rotation that the call belongs to. A repeated call of one rotation has the same id. Absent: it belongs to none. */
  readonly rotationId?: string;
  /**
   * Milliseconds within which the connection must be open, including TLS and log-in as far as the driver reports them. Otherwise the
   * call ends with TargetUnavailableError. Absent: `signal` is the only limit.
   */
  readonly connectWithin?: number;
  /**
   * The session of this call may stay open for a few idle seconds, for a later call with the same options and the same credential of
   * its authority. The rotator owns the session and closes it. Absent: the session ends with the call.
   */
  readonly mayStay?: boolean;
  /**
   * With `mayStay`: this call may use a session that has stayed, but its session ends with it. Of every change by the account itself,
   * because a connection of Keyturn must not use up one that consumers need.
   */
  readonly isLast?: boolean;
  /**
   * Receives whole sentences, without secrets, about what a person should know and the result cannot express: which of several servers
   * refused a log-in, or a missing right that only delays the change.
   */
  readonly note?: (sentence: string) => void;
}

export interface Change<Options> extends Call<Options> {
  /** The account and its new secret. */
  readonly next: Credential;
  readonly using: Using;
  /**
   * If the system `overlaps`: the secret of the same account that consumers use, which stays valid beside the new one. It is the published
   * one, or another stored one if the target refuses that, and has just logged in. Absent: no such secret is known, or the account is
   * one of a pair.
   */
  readonly keep?: Credential;
  /** The target refused `keep` in the last minutes, and Keyturn has not tried it again: keep it if it is valid, but never set it. */
  readonly keepInDoubt?: true;
  /** Of a rotator with `findOwner`: what consumers read, as it is stored. A key whose value is in it is never replaced. */
  readonly publishedText?: Secret;
}

/** The account after a change. */
export interface Applied {
  /** The credential that is valid now. */
  readonly credential: Credential;
  /** Of a system that `overlaps`: false if every other secret of the account is certainly useless now. Absent: one may be valid. */
  readonly kept?: boolean;
}

/** A request that must not be sent late, because it would replace or remove what another worker has made since. */
interface Timely {
  /**
   * Whether the request may still be sent. Ask synchronously, directly before each one that changes something: this worker may have been
   * suspended. If not, throw TargetUnavailableError. Only of calls to rotators with `mint` or `findOwner`. Absent: it may.
   */
  readonly isInTime?: () => boolean;
}

/** A secret that the system is to create. */
export interface Mint<Options> extends Look<Options>, Timely {
  readonly mark: Mark;
  /**
   * What consumers read, as it is stored. Of a pair, a key whose value is in it is never created anew, whatever the names of the accounts
   * say. Absent: nothing is published.
   */
  readonly publishedText?: Secret;
  /** The credential in it, if it has just logged in. */
  readonly published?: Credential;
  /** The ids of secrets of the account that are stored. Others with the mark of the target are of nobody's use. */
  readonly storedIds?: readonly string[];
  /** The secret must be valid until then, at least. Absent: the policy has no interval. */
  readonly validUntil?: Instant;
}

export interface Minted {
  readonly credential: Credential;
  /** Of a system that `overlaps`: the id of `published`. Absent: the system does not say which of the secrets it is. */
  readonly publishedId?: string;
}

/** Names what a rotation creates in a system, so that it can be found again. */
export interface Mark {
  readonly targetId: string;
  readonly rotationId: string;
}

export interface Check<Options> extends Call<Options> {
  readonly credential: Credential;
  /** Whether the call concerns the administrator, which may be stored in another place than the accounts. */
  readonly as?: "admin";
  /**
   * If the rotator `verifiesWithAdmin`: the admin, as the vault had it at most seconds ago. Nobody has tried it. If the target refuses it,
   * nothing is known about `credential`: TargetUnavailableError.
   */
  readonly admin?: Credential;
}

/** An account, and the authority that acts on it. */
export interface Look<Options> extends Call<Options> {
  readonly account: string;
  readonly using: Using;
}

export interface Retire<Options> extends Look<Options>, Timely {
  /** Of a rotator with `findOwner`: what consumers read, as it is stored. A key whose value is in it is never replaced. */
  readonly publishedText?: Secret;
  /**
   * Of a rotator with `findOwner`: the secret to end, if it can be read. If the account has another one by now, nothing is left to do.
   */
  readonly superseded?: Credential;
}

/** A `mint` or `retire` whose answer was lost. */
export interface Settling<Options> extends Look<Options> {
  /** Milliseconds since it was announced. */
  readonly sentAgo: number;
  /** What the system called the operation that it has begun. */
  readonly operation?: string;
  /** A secret that the account had before. While a list shows this one, the list is old. */
  readonly superseded?: Credential;
}

/** What became of it. `unknown`: it may still take effect. */
export type Settled = Credential | "without effect" | "unknown";

/** A secret without the name of an account. */
export interface Ownerless<Options> extends Call<Options> {
  readonly secret: Secret;
  readonly accounts: readonly string[];
  readonly using: Using;
}

/** A secret that the system may end by itself. */
export interface Lasting<Options> extends Call<Options> {
  readonly credential: Credential;
  readonly using: Using;
}

export interface Discard<Options> extends Call<Options>, Timely {
  readonly using: Using;
  /** The published secret of the account, which has just logged in. */
  readonly keep: Credential;
  /** Of a system that creates its secrets. */
  readonly ended?: Ended;
}

/** The secrets to end where somebody else may use further ones of the same account. */
export interface Ended {
  /** Everything with the mark of this target ends. */
  readonly targetId: string;
  /** So do these. */
  readonly ids: readonly string[];
  /** And so does this one, whose id nobody knows. */
  readonly superseded?: Credential;
}

/** A change that did not reach every server. */
export interface SetBack<Options> extends Call<Options> {
  readonly using: Using;
  /** The published secret of the account, which was valid before the change. */
  readonly earlier: Credential;
  /** The secret of the change. */
  readonly next: Credential;
}

/** What one of several servers accepts. The state continues the name of the server. */
export interface ServerReport {
  readonly server: string;
  readonly state:
    | "accepts the earlier secret"
    | "accepts only the new secret"
    | "may have either secret"
    | "accepts neither secret, so the account is locked out there"
    | "gave no answer";
}

export interface Examine<Options> extends Look<Options> {
  /** The account has just logged in from here, so only the right to change it needs a check. Always so if it changes itself. */
  readonly isProven: boolean;
  /** The other account of the pair: consumers that use `account` after the change expect the same rights. Absent: no pair. */
  readonly twin?: string;
}

/** What the target says about an account and its authority, before a change of its secret. */
export interface Examination {
  /**
   * What prevents the account from logging in from here, whatever its secret: a lock, an expiry date, a connection limit or a list of
   * allowed addresses. Each is a whole sentence that names the account and what to do. Empty when nothing is known, and always when
   * `isProven`.
   */
  readonly obstacles: readonly string[];
  /** Whether the authority may change the account's secret. */
  readonly right: Right;
  /** Of a system that `overlaps`: why a change of this account would still take the old secret away. Whole sentences. */
  readonly gap?: string;
  /** The rules of the target for new passwords that apply to this change. Absent: none are known. */
  readonly rules?: ServerRules;
  /** What does not prevent the change, but may surprise consumers after it: whole sentences that name the account. Absent: nothing. */
  readonly warnings?: readonly string[];
}

/** A mistake in the options that only the choice of the authority makes one. */
export interface OptionFault {
  /** Begins at the options. */
  readonly path: readonly string[];
  /** Continues the name of the field, as in "is required with admin: managed-identity". */
  readonly message: string;
}

/**
 * `proven`: the target confirms the right. `likely`: only a change could prove it. `missing`: the target denies it; `why` names the
 * missing right, and the statement that grants it if there is one.
 */
export type Right =
  { readonly is: "proven" | "likely" } | { readonly is: "missing"; readonly why: string };

/**
 * One kind of system whose credentials Keyturn can rotate. It has no state between calls, and keeps no connections open except those
 * that `mayStay` permits.
 *
 * The engine generates and stores passwords, writes the journal, decides which secret works, retries, redacts and notifies. A rotator
 * only changes and checks. It throws these errors, by what is known:
 *
 * - `ConfigError`: the options are wrong; nothing was sent
 * - `TargetUnavailableError`: the target could not be reached; nothing new is known
 * - `ChangeRefusedError`: the target refused the change; nothing changed
 * - `AuthorityRefusedError`: the target refused the log-in of `using`, so nothing was sent; its secret may just have changed
 * - `OutcomeUnknownError`: the connection was lost after the change was sent. Any error that a rotator cannot classify is this one
 *   after it has sent the change, and `TargetUnavailableError` before
 *
 * Every call ends soon after `signal` fires, with one of these errors.
 */
export interface Rotator<Options = unknown> {
  /** The name in configuration, logs and metrics. */
  readonly type: string;
  /** Names that people write instead of the type, such as that of a compatible system. They are not accepted. Absent: none. */
  readonly mistakenFor?: readonly string[];
  readonly options: ZodType<Options>;
  readonly capabilities: Capabilities;
  /** Pure: the address that consumers need besides account and secret. */
  endpoint(options: Options): Endpoint;
  /**
   * Pure: the part of a server in which account names are unique, such as the authentication database of MongoDB. Absent: the whole
   * server.
   */
  accountRealm?(options: Options): string;
  /**
   * Pure: the name of what has the accounts, where several addresses may lead to it, such as the id of a resource. Absent: the address and
   * `accountRealm` name it.
   */
  accountHolder?(options: Options): string;
  /**
   * Pure: the accounts of a target that names none, in the order in which they take turns; the first is changed first where nothing is
   * published. Undefined: the target must name its accounts. Absent: every target must.
   */
  defaultAccounts?(options: Options): readonly string[] | undefined;
  /** The option from which `defaultAccounts` takes the account of a target that names none. Absent: no single option has it. */
  readonly accountOption?: string;
  /** Pure: the mistakes in the options that this authority makes mistakes. Absent: there are none. */
  findOptionFaults?(options: Options, as: Using["as"]): readonly OptionFault[];
  /** Pure: `capabilities.propagation` of a target with these options. Absent: it does not depend on the options. */
  findPropagation?(options: Options): number;
  /**
   * Pure: whether an account may have two valid secrets, so that a new one takes nothing away. Absent: it may not. Exactly the rotators
   * with this function have `discard`.
   */
  overlaps?(options: Options): boolean;
  /**
   * Pure: why no account of this system can have this secret, as in "`value` must …", without the secret. Absent: every secret fits.
   * Keyturn's own passwords fit by their rules; imported ones may not.
   */
  findUnfit?(secret: Secret): string | undefined;
  /**
   * Pure: why no account of this system can have this name, and what to write instead, as in "must have at most 63 bytes". `options` are
   * absent while they are not known. Absent: every name fits.
   */
  findUnfitAccount?(account: string, options?: Options): string | undefined;
  /**
   * Pure: why the system would refuse passwords that follow these rules, as in "(the policy) has passwords …". Absent: it accepts every
   * password that Keyturn generates.
   */
  findUnfitRules?(rules: PasswordRules): string | undefined;
  /**
   * Pure: a secret in the form that the system requires, from 32 random bytes. Absent: passwords that follow the rules of the policy. With
   * it, those rules have no effect.
   */
  toSecret?(random: Uint8Array): Secret;
  /**
   * Sets the new secret of `change.next.account`. It is safe to repeat, because a crash may have hidden an earlier success. It changes
   * no other account. If it `overlaps`, `change.keep` stays valid also after a repetition, whatever an earlier change has done or, coming
   * late, still does. Absent: nobody can choose the secrets of this system. Without `mint` either, they all come from people.
   */
  apply?(change: Change<Options>, signal: AbortSignal): Promise<Applied>;
  /**
   * Lets the system create a secret of the account that is not published, or another one beside the published. Sends the request at most
   * once: a repeated one might take effect after the secret of the first is published. A key that reads the same as before was not
   * created yet. Throws OutcomeUnknownError once the request was sent, unless the system itself refuses it, or its operation has failed.
   * Absent: the system does not create secrets. Only rotators without `apply` have it.
   */
  mint?(mint: Mint<Options>, signal: AbortSignal): Promise<Minted>;
  /** Pure: milliseconds after which the system ends a secret that `mint` has created. Absent: it ends none. */
  findLifetime?(options: Options): number;
  /**
   * When the system ends this secret of an account, also of one that Keyturn has not created. Undefined: the system does not say which of its secrets it is.
   * Changes nothing. Only rotators with `findLifetime` have it.
   */
  findEnd?(lasting: Lasting<Options>, signal: AbortSignal): Promise<Instant | undefined>;
  /**
   * Pure: milliseconds after which a `mint` or `retire` whose answer was lost can no longer take effect, counted from when it was
   * announced; it is sent within two minutes. Absent: a late one harms nobody, because it replaces no secret.
   */
  findSettleTime?(options: Options): number;
  /**
   * What became of a `mint` or `retire` of the account whose answer was lost: the secret that it has created, according to its operation or
   * to a time of creation, compared on the clock of the system. Changes nothing. Absent: only time tells.
   */
  settle?(settling: Settling<Options>, signal: AbortSignal): Promise<Settled>;
  /**
   * Which of the accounts has this secret, if one has. For systems whose consumers read a secret without the name of an account. Changes
   * nothing. Absent: a stored secret of a pair names its account.
   */
  findOwner?(ownerless: Ownerless<Options>, signal: AbortSignal): Promise<string | undefined>;
  /** Pure: the text that consumers need to connect, with the secret in it. Absent: the system has none of its own. */
  toConnectionString?(options: Options, credential: Credential): Secret;
  /** Pure: why a target with these options has no connection string, as in "(must be json or password:) …". Absent: it has one. */
  findTextFault?(options: Options): string | undefined;
  /** Pure: why consumers of a target with these options cannot use the secret alone, as in "(must be …:) …". Absent: they can. */
  findPasswordFault?(options: Options): string | undefined;
  /** Pure: the secret in such a text, and its id if the text has it, also if a person wrote it. Undefined: the text is not one. Exactly the rotators with `toConnectionString`. */
  readConnectionString?(text: Secret): Pick<Credential, "secret" | "secretId"> | undefined;
  /**
   * Logs in as a consumer would, always on a new connection, and changes nothing. "rejected" means that the target answered and refused
   * the credential; an unreachable target throws TargetUnavailableError. A log-in without a check of the password proves nothing and
   * throws ConfigError. A system whose secrets come from people may have nothing that could check them: it accepts every secret, with a note.
   */
  verify(check: Check<Options>, signal: AbortSignal): Promise<"accepted" | "rejected">;
  /**
   * Finds out, with one log-in of the authority, what prevents the account from logging in and whether the authority may change it.
   * "rejected" means that the target refused the credential of the authority. It changes nothing. Absent: the system offers no such
   * query.
   */
  examine?(examine: Examine<Options>, signal: AbortSignal): Promise<Examination | "rejected">;
  /**
   * Whether a client other than Keyturn is logged in as the account now, as far as the authority can see. An uncertain answer counts as
   * "yes". A list without Keyturn's own connection, or with only that one because of a missing right, proves nothing and throws
   * ChangeRefusedError, which names the missing right. It changes nothing. Absent: the system offers no such query.
   */
  hasSessions?(look: Look<Options>, signal: AbortSignal): Promise<boolean>;
  /** Pure: why `hasSessions` has no answer with these options, as in "Azure DocumentDB does not …". Absent: it has one. */
  findSessionsFault?(options: Options): string | undefined;
  /**
   * Disables the secret of the account without deleting the account. It is safe to repeat. An account never retires itself. Absent: the
   * system cannot do that, so its accounts cannot be pairs.
   */
  retire?(retire: Retire<Options>, signal: AbortSignal): Promise<void>;
  /** Pure: why `retire` cannot work with these options, as in "this endpoint has no …". Absent: it can. */
  findRetireFault?(options: Options): string | undefined;
  /**
   * Pure: whether a change with these options reaches several servers, one after the other. Absent: it does not. Exactly the rotators with
   * this function have `setBack`.
   */
  hasSeveralServers?(options: Options): boolean;
  /**
   * Sets `earlier` again at every server that accepts only `next`, because consumers of all servers read `earlier` until the change has
   * reached all of them. It is safe to repeat, also while a server is down. Returns what each server accepts then. Absent: no target of
   * this type has several servers that are changed one after the other, or none can lose `earlier`.
   */
  setBack?(call: SetBack<Options>, signal: AbortSignal): Promise<readonly ServerReport[]>;
  /**
   * Makes every secret of the account useless except `keep`, which stays valid at every moment, however it came to the account. It is
   * safe to repeat. A system that creates its secrets ends only those in `ended`, and none while it does not know which one is `keep`.
   * Absent: an account of this system has one secret.
   */
  discard?(discard: Discard<Options>, signal: AbortSignal): Promise<void>;
}

/** A rotator of a system whose secrets Keyturn chooses. */
export type SettingRotator<Options = unknown> = Rotator<Options> &
  Required<Pick<Rotator<Options>, "apply">>;
