/**
 * Errors are told apart by what is known now, because that alone decides what may be done next. Messages are
 * plain sentences for an operator and must never hold a secret.
 */
export type ErrorKind =
  | "config"
  | "target-unavailable"
  | "vault-unavailable"
  | "change-refused"
  | "outcome-unknown"
  | "no-live-credential"
  | "lease-lost"
  | "bug";

/** Our input is wrong; nothing was started. The message names the field. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly kind = "config";
}

/** The target could not be asked; nothing was learnt. */
export class TargetUnavailableError extends Error {
  override readonly name = "TargetUnavailableError";
  readonly kind = "target-unavailable";
}

/**
 * The target answered that this account cannot log in from here whatever its password is, such as a lock, an expiry
 * date or a connection limit of its own. Nothing was learnt about the password. The message names what blocks it.
 */
export class AccountBlockedError extends TargetUnavailableError {}

/** Key Vault could not be asked, or would not let us; nothing was learnt. */
export class VaultUnavailableError extends Error {
  override readonly name = "VaultUnavailableError";
  readonly kind = "vault-unavailable";
  /** Milliseconds after which it may be asked again, where it said so. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: ErrorOptions & { readonly retryAfter?: number } = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}

/** The target answered no: nothing was changed. */
export class ChangeRefusedError extends Error {
  override readonly name = "ChangeRefusedError";
  readonly kind = "change-refused";
}

/** The target refused the log-in with which the change was to be made: nothing was sent. */
export class AuthorityRefusedError extends ChangeRefusedError {}

/** The line was lost in mid-change: the target may or may not have changed. */
export class OutcomeUnknownError extends Error {
  override readonly name = "OutcomeUnknownError";
  readonly kind = "outcome-unknown";
}

/** Every stored credential was refused. A person must decide. */
export class NoLiveCredentialError extends Error {
  override readonly name = "NoLiveCredentialError";
  readonly kind = "no-live-credential";
}

/** Somebody else owns the target now; whoever gets this stops silently. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
  readonly kind = "lease-lost";
}

/** An idempotency key came again for something else than it was used for: one of the two would be swallowed. */
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
