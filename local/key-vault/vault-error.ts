/** A refusal with the wording and format of the real service. */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly status: number;
  readonly code: string;
  readonly inner: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { inner?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.inner = more.inner;
    this.headers = more.headers ?? {};
  }
}

/** The key is `innererror` on the wire, although the official client calls it innerError. */
export function toErrorBody(error: VaultError): object {
  const inner = error.inner === undefined ? {} : { innererror: { code: error.inner } };
  return { error: { code: error.code, message: error.message, ...inner } };
}

export const badParameter = (message: string): VaultError =>
  new VaultError(400, "BadParameter", message);

export const secretNotFound = (name: string, version?: string): VaultError =>
  new VaultError(
    404,
    "SecretNotFound",
    `A secret with (name/id) ${version === undefined ? name : `${name}/${version}`} was not found in ` +
      "this key vault. If you recently deleted this secret you may be able to recover it using the " +
      "correct recovery command. For help resolving this issue, please see " +
      "https://go.microsoft.com/fwlink/?linkid=2125182",
  );

export const keyNotFound = (name: string, version?: string): VaultError =>
  new VaultError(
    404,
    "KeyNotFound",
    `A key with (name/id) ${version === undefined ? name : `${name}/${version}`} was not found in ` +
      "this key vault. If you recently deleted this key you may be able to recover it using the " +
      "correct recovery command. For help resolving this issue, please see " +
      "https://go.microsoft.com/fwlink/?linkid=2125182",
  );

export const deletedSecretNotFound = (name: string): VaultError =>
  new VaultError(404, "SecretNotFound", `Deleted Secret not found: ${name}`);

export const secretDisabled = (): VaultError =>
  new VaultError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", {
    inner: "SecretDisabled",
  });

export const forbiddenByRbac = (): VaultError =>
  new VaultError(403, "Forbidden", "Caller is not authorized to perform action on resource.", {
    inner: "ForbiddenByRbac",
  });

const TRANSITIONS = {
  deleting: { inner: "ObjectIsBeingDeleted", says: "is currently being deleted" },
  recovering: { inner: "ObjectIsBeingRecovered", says: "is currently being recovered" },
} as const;

export type Transition = keyof typeof TRANSITIONS;

/** The refusal of a write to a name that is taken. */
export function nameIsTaken(name: string, standing: Transition | "deleted"): VaultError {
  if (standing !== "deleted") {
    const { inner, says } = TRANSITIONS[standing];
    const message = `Secret ${name} ${says} and cannot be re-created; retry later.`;
    return new VaultError(409, "Conflict", message, { inner });
  }
  const message =
    `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be ` +
    "reused; in this state, the secret can only be recovered or purged.";
  return new VaultError(409, "Conflict", message, { inner: "ObjectIsDeletedButRecoverable" });
}

/** The refusal of a recovery or a purge. Clients compare the complete message. */
export function inTransition(transition: Transition): VaultError {
  const { inner, says } = TRANSITIONS[transition];
  return new VaultError(409, "Conflict", `Secret ${says}.`, { inner });
}

export const restoreConflict = (id: string): VaultError =>
  new VaultError(
    409,
    "Conflict",
    `Conflict while restoring secret ${id} - secret already exists or concurrent access`,
  );
