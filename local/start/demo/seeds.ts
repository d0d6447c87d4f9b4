/** A target that `npm start` creates for the demo. */
export interface Seed {
  /** The name of the target, of its database and of its published secret. */
  readonly id: string;
  /** The first account is published at the beginning. */
  readonly accounts: readonly [string] | readonly [string, string];
  /** Who changes the password: the administrator, or the account itself. */
  readonly by: "admin" | "self";
  readonly policy: "often" | "now-and-then";
  /** Describes the target to the person at the console. */
  readonly about: string;
}

export const seeds: readonly Seed[] = [
  {
    id: "orders",
    accounts: ["orders_a", "orders_b"],
    by: "admin",
    policy: "often",
    about: "two accounts that take turns; no log-in may fail",
  },
  {
    id: "reports",
    accounts: ["reports_reader"],
    by: "admin",
    policy: "now-and-then",
    about: "one account; an administrator changes its password",
  },
  {
    id: "inventory",
    accounts: ["inventory_writer"],
    by: "self",
    policy: "now-and-then",
    about: "one account; it changes its own password",
  },
];

export const adminAccount = "keyturn_admin";

/** Names of the secrets that no target publishes. */
export const adminSecret = "postgres-admin";
export const topicKeySecret = "events-topic-key";

export interface Places {
  readonly vaultUrl: string;
  readonly topicEndpoint: string;
  readonly postgres: { readonly host: string; readonly port: number };
  /** Absolute. */
  readonly caFile: string;
  /** Maximum age of all passwords, such as `1h`. The default is seconds, so that rotations can be watched. */
  readonly every: string | undefined;
}

/** Quotes a text as a JSON string, which is valid YAML for any path. */
const quoted = (text: string): string => JSON.stringify(text);

const retry = "retry: { attempts: 5, every: 2s, thenEvery: 30s }";

/** Makes the keyturn.yaml of the seeded targets. */
export function makeConfiguration({ vaultUrl, topicEndpoint, postgres, caFile, every }: Places) {
  return `# Each "npm start" overwrites this file. To try changes, copy it and run: npm start -- --config COPY
version: 1

vaults:
  local: { url: ${quoted(vaultUrl)} }

# These times are short for the demo. In production, use for example 90d.
policies:
  often:
    every: ${every ?? "15s"}
    afterExposure: 5s
    ${retry}
  now-and-then:
    every: ${every ?? "35s"}
    afterExposure: 5s
    ${retry}

targets:
${seeds.map((seed) => makeTarget(seed, postgres, caFile)).join("\n")}
notify:
  - type: event-grid
    endpoint: ${quoted(topicEndpoint)}
    key: { secret: ${topicKeySecret} }
`;
}

function makeTarget(seed: Seed, { host, port }: Places["postgres"], caFile: string): string {
  const { id, accounts, by, policy, about } = seed;
  const admin = by === "self" ? "self" : `{ secret: ${adminSecret} }`;
  const grace = accounts.length === 2 ? "    grace: 5s\n" : "";
  return `  # ${about}
  ${id}:
    type: postgresql
    options:
      host: ${host}
      port: ${port}
      database: ${id}
      tls: { caFile: ${quoted(caFile)} }
    accounts: [${accounts.join(", ")}]
    admin: ${admin}
    publish: ${id}
    policy: ${policy}
${grace}`;
}
