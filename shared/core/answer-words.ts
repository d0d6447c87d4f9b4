/** The words that fields of answers may have. They are in a file of their own, so that their readers load nothing else. */

export const dryRunChecks = [
  "start",
  "vault-read",
  "vault-write",
  "vault-budget",
  "published-log-in",
  "account-log-in",
  "admin-secret",
  "admin-log-in",
  "privilege",
  "obstacles",
  "password-rules",
  "warnings",
  "server",
  "new-version",
  "consumer",
] as const;

export const dryRunResults = ["ok", "warning", "failed", "not-checked"] as const;

export const actionKinds = [
  "fix",
  "unblock",
  "undo",
  "import",
  "dry-run",
  "request-rotation",
  "cancel-rotation",
  "lift-freeze",
  "end-pause",
  "override-pause",
  "wait",
] as const;

/** What a step is: the work of the engine, the end of a claim, or nothing until a person acts. */
export const stepKinds = [
  "adopt",
  "join",
  "start",
  "resume",
  "remind",
  "check",
  "refresh",
  "retire",
  "notify",
  "claim-ends",
  "person",
] as const;

export const explainedStates = [
  "new",
  "healthy",
  "retiring",
  "due",
  "waiting",
  "rotating",
  "retrying",
  "stalled",
  "failing",
  "blocked",
  "resting",
  "unreadable",
] as const;
