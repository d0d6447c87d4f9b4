/**
 * List prices in US dollars, pay as you go, without free grants. They differ by region and change; check them before you rely
 * on the sum.
 */
export const prices = {
  /** Key Vault, standard: 10,000 operations on secrets. */
  vaultOperations: 0.03 / 10_000,
  /** Table storage, locally redundant: 10,000 transactions; a batch is one. */
  tableTransactions: 0.00036 / 10_000,
  /** Queue storage: 10,000 operations. */
  queueOperations: 0.0004 / 10_000,
  /** Table storage: a GiB for a month. */
  tableGiB: 0.045,
  /** Functions, Flex Consumption on demand: a GB-second, and an execution. */
  gbSecond: 0.000026,
  execution: 0.4 / 1_000_000,
  /** Log Analytics, analytics logs: a GB. */
  logGB: 2.3,
} as const;
