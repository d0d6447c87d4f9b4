/** A target that `npm start` creates for the demo. */
export interface Seed {
  /** The name of the target and of its published secret. */
  readonly id: string;
  readonly type: "postgresql" | "azure-key" | "entra-app";
  readonly policy: "often" | "now-and-then";
  /** Describes the target to the person at the console. */
  readonly about: string;
}

/** A target in PostgreSQL. Its database has the name of the target. */
export interface DatabaseSeed extends Seed {
  /** The first account is published at the beginning. */
  readonly accounts: readonly [string] | readonly [string, string];
  /** Who changes the password: the administrator, or the account itself. */
  readonly by: "admin" | "self";
}

export const databaseSeeds: readonly DatabaseSeed[] = [
  {
    id: "orders",
    type: "postgresql",
    accounts: ["orders_a", "orders_b"],
    by: "admin",
    policy: "often",
    about: "two accounts that take turns; no log-in may fail",
  },
  {
    id: "reports",
    type: "postgresql",
    accounts: ["reports_reader"],
    by: "admin",
    policy: "now-and-then",
    about: "one account; an administrator changes its password",
  },
  {
    id: "inventory",
    type: "postgresql",
    accounts: ["inventory_writer"],
    by: "self",
    policy: "now-and-then",
    about: "one account; it changes its own password",
  },
];

/** The two keys of an Azure OpenAI account. */
export const openAiSeed: Seed = {
  id: "assistant",
  type: "azure-key",
  policy: "now-and-then",
  about: "Azure OpenAI (double of Azure on this machine): two keys that take turns",
};

/** An Entra application. */
export const entraSeed: Seed = {
  id: "partner-api",
  type: "entra-app",
  policy: "now-and-then",
  about: "Entra application (double of Azure on this machine): client secrets side by side",
};

export const seeds: readonly Seed[] = [...databaseSeeds, openAiSeed, entraSeed];

export const adminAccount = "keyturn_admin";

/** Names of the secrets that no target publishes. */
export const adminSecret = "postgres-admin";
export const topicKeySecret = "events-topic-key";

export interface Places {
  readonly azure: {
    readonly resourceManager: string;
    readonly openAi: { readonly url: string; readonly resource: string };
    readonly entra: {
      readonly graph: string;
      readonly logIn: string;
      readonly tenant: string;
      readonly application: { readonly appId: string };
    };
  };
  readonly vaultUrl: string;
  readonly topicEndpoint: string;
  readonly postgres: { readonly host: string; readonly port: number };
  /** Absolute. */
  readonly caFile: string;
  /** Maximum age of all secrets, such as `1h`. The default is seconds, so that rotations can be watched. */
  readonly every: string | undefined;
}

/** Quotes a text as a JSON string, which is valid YAML for any path. */
const quoted = (text: string): string => JSON.stringify(text);

const retry = "retry: { attempts: 5, every: 2s, thenEvery: 30s }";

/** Makes the keyturn.yaml of the seeded targets. */
export function makeConfiguration(places: Places): string {
  const { vaultUrl, topicEndpoint, postgres, caFile, every, azure } = places;
  const targets = [
    ...databaseSeeds.map((seed) => makeTarget(seed, postgres, caFile)),
    makeOpenAiTarget(openAiSeed, azure),
    makeEntraTarget(entraSeed, azure),
  ];
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
${targets.join("\n")}
notify:
  - type: event-grid
    endpoint: ${quoted(topicEndpoint)}
    key: { secret: ${topicKeySecret} }
`;
}

function makeTarget(
  seed: DatabaseSeed,
  { host, port }: Places["postgres"],
  caFile: string,
): string {
  const { id, type, accounts, by, policy, about } = seed;
  const admin = by === "self" ? "self" : `{ secret: ${adminSecret} }`;
  const grace = accounts.length === 2 ? "    grace: 5s\n" : "";
  return `  # ${about}
  ${id}:
    type: ${type}
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

/** The double has one server, so one proof of a new secret is enough. On Azure, `propagation` is minutes and cannot be set. */
const atOnce =
  "propagation: 0s # of the double; Azure needs minutes, so a secret is proven there twice";

function makeOpenAiTarget(
  { id, type, about, policy }: Seed,
  { resourceManager, openAi }: Places["azure"],
): string {
  const { hostname, port } = new URL(openAi.url);
  return `  # ${about}
  ${id}:
    type: ${type}
    options:
      service: cognitive
      resource: ${openAi.resource}
      host: ${hostname}
      port: ${port}
      resourceManager: ${quoted(resourceManager)}
      ${atOnce}
    accounts: [key2, key1]
    admin: managed-identity
    publish: { secret: ${id}, as: password }
    policy: ${policy}
    grace: 5s
`;
}

function makeEntraTarget({ id, type, about, policy }: Seed, { entra }: Places["azure"]): string {
  const { graph, logIn, tenant, application } = entra;
  return `  # ${about}
  ${id}:
    type: ${type}
    options:
      tenant: ${tenant}
      graph: ${quoted(graph)}
      logIn: ${quoted(logIn)}
      ${atOnce}
    accounts: [${application.appId}]
    admin: managed-identity
    publish: ${id}
    policy: ${policy}
    grace: 5s
`;
}
