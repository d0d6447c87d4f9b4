/** One kind of problem. `meaning` and `action` are for people; the reference page shows them. */
interface ProblemDefinition {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  readonly action: string;
}

/**
 * Every kind of problem that the API answers with. The kind is part of `type`, which programs may compare; titles and details are for
 * people. A kind never changes its meaning or its status.
 */
export const problemKinds = {
  "invalid-request": {
    status: 400,
    title: "Invalid request",
    meaning:
      "A parameter, a field, a header or the body is unknown, missing, repeated or not allowed.",
    action: "Correct the request as `detail` says.",
  },
  "target-not-found": {
    status: 404,
    title: "Target not found",
    meaning: "The configuration has no target with this id.",
    action: "`GET /api/targets` lists the targets.",
  },
  "rotation-not-found": {
    status: 404,
    title: "Rotation not found",
    meaning: "The target does not exist, or its history has no rotation with this id.",
    action: "`GET /api/targets/{target}/rotations` lists the rotations.",
  },
  "freeze-not-found": {
    status: 404,
    title: "Freeze not found",
    meaning: "No freeze with this id was set by a person.",
    action: "`GET /api/freezes` lists the freezes.",
  },
  "no-ledger-entry": {
    status: 404,
    title: "No ledger entry",
    meaning: "Nothing has happened yet that the ledger records.",
    action: "Try again after the first target is adopted.",
  },
  "breach-not-found": {
    status: 404,
    title: "Breach not found",
    meaning: "There is no breach or preview with this id.",
    action: "`GET /api/breaches` lists the breaches.",
  },
  "breach-stale": {
    status: 409,
    title: "Preview of a breach is stale",
    meaning:
      "Other targets are selected now, or the configuration of one has changed. Nothing was started.",
    action: "Make a new preview with `POST /api/breaches`, and confirm that one.",
  },
  "breach-state": {
    status: 409,
    title: "State of the breach excludes the change",
    meaning:
      "The breach has ended, is not confirmed, has expired, or was confirmed in another way.",
    action: "`GET /api/breaches/{breach}` shows its state.",
  },
  busy: {
    status: 409,
    title: "Busy",
    meaning: "Many requests are writing the same target at once. Nothing was recorded.",
    action: "Send the request again after `Retry-After`.",
  },
  "not-possible": {
    status: 409,
    title: "Not possible now",
    meaning:
      "The state of the target does not permit it, as `detail` says: an import during a rotation, for example, or an undo after the grace. Nothing was changed.",
    action: "Do what `detail` says. The same request is refused as long as the state stays.",
  },
  "body-too-large": {
    status: 413,
    title: "Body too large",
    meaning: "The body is larger than `detail` allows.",
    action: "Send a smaller body.",
  },
  "unsupported-content-type": {
    status: 415,
    title: "Unsupported content type",
    meaning: "The body has another content type than the route accepts.",
    action: "Send the content type that `detail` names.",
  },
  "idempotency-key-reused": {
    status: 422,
    title: "Idempotency-Key reused",
    meaning: "This caller used the `Idempotency-Key` for another request.",
    action: "Use a new key for a new request.",
  },
  "too-many-requests": {
    status: 429,
    title: "Too many requests",
    meaning:
      "The caller has used up its budget of requests for a minute. Requests by GET and by POST have budgets of their own. Nothing was recorded.",
    action: "Send the request again after `Retry-After`.",
  },
  "invalid-configuration": {
    status: 422,
    title: "Invalid configuration",
    meaning: "The configuration in the body has problems. `problems` lists all of them.",
    action: "Correct the configuration.",
  },
  "configuration-too-costly": {
    status: 422,
    title: "Configuration too costly to check",
    meaning: "The check of the configuration took too much time or memory and was stopped.",
    action: "Check the file with `keyturn check` on your machine.",
  },
  "too-many-plans": {
    status: 503,
    title: "Too many plans",
    meaning: "The app is computing as many plans as it can at once.",
    action: "Send the request again after `Retry-After`.",
  },
  "too-many-streams": {
    status: 503,
    title: "Too many streams",
    meaning: "The instance sends events to as many clients as it can at once.",
    action: "Poll the rotation instead, or send the request again after `Retry-After`.",
  },
  "record-unreadable": {
    status: 503,
    title: "Record unreadable",
    meaning: "This version of Keyturn cannot read a record that it needs. Nothing was changed.",
    action: "Follow the runbook: A target is `unreadable`.",
  },
  "vault-unavailable": {
    status: 503,
    title: "Key Vault unavailable",
    meaning: "Key Vault cannot be reached, or refuses access. Nothing was recorded.",
    action:
      "Send the request again after `Retry-After`. If it lasts, follow the runbook: Key Vault is down.",
  },
  "target-unavailable": {
    status: 503,
    title: "Target unavailable",
    meaning:
      "The server of the target gave no answer, which says nothing about the password. Nothing was changed.",
    action:
      "Send the request again after `Retry-After`. If it lasts, check the server: `detail` names it.",
  },
  "journal-unavailable": {
    status: 503,
    title: "Journal unavailable",
    meaning:
      "The journal or the queue cannot be reached. A request that writes may have been recorded.",
    action:
      "Send the request again after `Retry-After`, with the same `Idempotency-Key`. If it lasts, follow the runbook: Storage is down.",
  },
} as const satisfies Readonly<Record<string, ProblemDefinition>>;

export type ProblemKind = keyof typeof problemKinds;

/** The `type` of a problem (RFC 9457). It identifies the kind, and is not the address of a page. */
export function problemType(kind: ProblemKind): string {
  return `urn:problem-type:keyturn:${kind}`;
}
