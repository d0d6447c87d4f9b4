/** What was done, or what a caller wanted. */
export const ledgerActions = [
  "rotation.request",
  "rotation.cancel",
  "rotation.end",
  "exposure.report",
  "use.report",
  "target.pause",
  "target.resume",
  "target.unblock",
  "freeze.set",
  "freeze.end",
  "breach.preview",
  "breach.start",
  "breach.pause",
  "breach.resume",
  "breach.cancel",
  "breach.end",
  "credential.adopt",
  "credential.retire",
  "ledger.trim",
  "ledger.damage",
] as const;
export type LedgerAction = (typeof ledgerActions)[number];

/** `accepted`: a caller's request took effect or is queued. */
export const ledgerOutcomes = ["accepted", "succeeded", "failed", "blocked", "refused"] as const;
export type LedgerOutcome = (typeof ledgerOutcomes)[number];
