/**
 * The kind of an error says what Keyturn knows about the outcome, because only that decides what it may do next. Messages are
 * plain sentences for an operator and never contain a secret.
 */
export const errorKinds = [
  "config",
  "target-unavailable",
  "vault-unavailable",
  "change-refused",
  "outcome-unknown",
  "no-live-credential",
  "lease-lost",
  "bug",
] as const;
export type ErrorKind = (typeof errorKinds)[number];

/** The input is wrong, and nothing was sent to the target. The message names the field. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly kind = "config";
}

/** The target could not be reached, so Keyturn knows nothing new about it. */
export class TargetUnavailableError extends Error {
  override readonly name = "TargetUnavailableError";
  readonly kind = "target-unavailable";
}

/**
 * The target refuses every log-in of this account from here, whatever the password: the account is locked or expired, or has reached
 * its connection limit. The answer says nothing about the password. The message names what blocks the account.
 */
export class AccountBlockedError extends TargetUnavailableError {}

/** Key Vault could not be reached, or refused access. Keyturn knows nothing new about the secret. */
export class VaultUnavailableError extends Error {
  override readonly name = "VaultUnavailableError";
  readonly kind = "vault-unavailable";
  /** Milliseconds until the next call is allowed, if Key Vault gave a delay. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: ErrorOptions & { readonly retryAfter?: number } = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}

/** The target refused the change: nothing was changed. */
export class ChangeRefusedError extends Error {
  override readonly name = "ChangeRefusedError";
  readonly kind = "change-refused";
}

/** The target refused the log-in of the account that makes the change: the change was not sent. */
export class AuthorityRefusedError extends ChangeRefusedError {}

/**
 * Keyturn does not know which password the account has now: the connection was lost during a change, or a later check disproved the
 * result of an earlier phase.
 */
export class OutcomeUnknownError extends Error {
  override readonly name = "OutcomeUnknownError";
  readonly kind = "outcome-unknown";
}

/** The system has begun an operation that had not ended when Keyturn stopped waiting. Keyturn looks for its end later. */
export class OperationOpenError extends OutcomeUnknownError {
  /** What the system calls the operation. */
  readonly operation: string;

  constructor(message: string, operation: string, options?: ErrorOptions) {
    super(message, options);
    this.operation = operation;
  }
}

/** The target refused every stored credential. An operator must act. */
export class NoLiveCredentialError extends Error {
  override readonly name = "NoLiveCredentialError";
  readonly kind = "no-live-credential";
}

/** Another worker has claimed the target. The worker that gets this error stops without a report. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
  readonly kind = "lease-lost";
}

/** A caller used an idempotency key again for a different request. Accepting it would drop one of the two requests. */
export class KeyReusedError extends Error {
  override readonly name = "KeyReusedError";
}

export type KnownError =
  | ConfigError
  | TargetUnavailableError
  | VaultUnavailableError
  | ChangeRefusedError
  | OutcomeUnknownError
  | NoLiveCredentialError
  | LeaseLostError;

const knownClasses = [
  ConfigError,
  TargetUnavailableError,
  VaultUnavailableError,
  ChangeRefusedError,
  OutcomeUnknownError,
  NoLiveCredentialError,
  LeaseLostError,
];

export function isKnownError(error: unknown): error is KnownError {
  return knownClasses.some((known) => error instanceof known);
}
