/**
 * Milliseconds each kind of call may take. Between two renewals of the claim their sum stays below its length, so
 * that nobody acts on a target whose claim may be somebody else's already. A policy may only make them shorter.
 */
export const deadlines = {
  vault: 20_000,
  verify: 20_000,
  apply: 40_000,
  refresh: 20_000,
  notify: 10_000,
} as const;
