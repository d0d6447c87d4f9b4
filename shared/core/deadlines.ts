/**
 * Milliseconds each kind of call may take. The calls between two renewals of the claim take less than the length of the claim, so
 * a worker never acts on a target that another worker may have claimed. A policy can only shorten these limits.
 */
export const deadlines = {
  vault: 20_000,
  verify: 20_000,
  apply: 40_000,
  refresh: 20_000,
  notify: 10_000,
} as const;
