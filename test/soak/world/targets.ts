/** One target of the soak. */
export interface SoakTarget {
  readonly id: string;
  readonly accounts: readonly [string] | readonly [string, string];
  readonly by: "admin" | "self";
  readonly policy: keyof typeof policies;
}

/**
 * `thenEvery` is so long that a target which waits for it counts as one that needs a person: in production it is six
 * hours.
 */
const retry = { attempts: 3, every: "2s", thenEvery: "1h" };

const policies = {
  default: { every: "1h", afterExposure: "5s", retry },
  brisk: { every: "40s", afterExposure: "5s", retry },
  proven: { every: "90s", afterExposure: "5s", retire: "proof", retry },
} as const;

/** How long a superseded password of a pair works. Longer than consumers keep what they read. */
const graceMs = 15_000;

export const soakTargets: readonly SoakTarget[] = [
  { id: "orders", accounts: ["orders_a", "orders_b"], by: "admin", policy: "brisk" },
  { id: "billing", accounts: ["billing_a", "billing_b"], by: "admin", policy: "default" },
  { id: "archive", accounts: ["archive_a", "archive_b"], by: "admin", policy: "proven" },
  { id: "ledger", accounts: ["ledger_a", "ledger_b"], by: "self", policy: "default" },
  { id: "reports", accounts: ["reports"], by: "admin", policy: "brisk" },
  { id: "invoices", accounts: ["invoices"], by: "admin", policy: "default" },
  { id: "audit", accounts: ["audit"], by: "self", policy: "brisk" },
  { id: "search", accounts: ["search"], by: "self", policy: "default" },
];

export const isPair = ({ accounts }: SoakTarget): boolean => accounts.length === 2;

/** The secret that consumers of the target read. */
export const publishedName = (id: string): string => `${id}-secret`;

/** Where the first password of the second account of a pair is stored. */
export const secondName = (id: string): string => `${id}-second`;

export const adminSecret = "postgresql-admin";
export const topicKeySecret = "topic-key";

export interface Places {
  readonly vaultUrl: string;
  readonly topicEndpoint: string;
  /** The port of the line to the database. */
  readonly databasePort: number;
}

/** keyturn.yaml as an object: JSON is YAML. */
export function makeConfiguration({ vaultUrl, topicEndpoint, databasePort }: Places): object {
  // Without TLS, because the line to the database searches for statements in the data.
  const options = { host: "127.0.0.1", port: databasePort, tls: { mode: "disable" } };
  const targets = soakTargets.map((target) => [target.id, makeTarget(target, options)] as const);
  return {
    version: 1,
    vaults: { main: { url: vaultUrl } },
    policies,
    targets: Object.fromEntries(targets),
    api: { limits: { reads: 10_000, writes: 10_000 } },
    notify: [{ type: "event-grid", endpoint: topicEndpoint, key: { secret: topicKeySecret } }],
  };
}

function makeTarget({ id, accounts, by, policy }: SoakTarget, options: object): object {
  const [first, second] = accounts;
  return {
    type: "postgresql",
    options,
    accounts:
      second === undefined
        ? [first]
        : [first, { name: second, initial: { secret: secondName(id) } }],
    admin: by === "self" ? "self" : { secret: adminSecret },
    publish: publishedName(id),
    policy,
    ...(second !== undefined && { grace: `${graceMs / 1000}s` }),
  };
}
