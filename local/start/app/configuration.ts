import { adminSecret, type Seed, seeds, topicKeySecret } from "../demo/seeds.ts";

export interface Places {
  readonly vaultUrl: string;
  readonly topicEndpoint: string;
  readonly postgres: { readonly host: string; readonly port: number };
  /** Absolute. */
  readonly caFile: string;
  /** Greatest age of all passwords, such as `1h`. Default: short ones, for something to see. */
  readonly every: string | undefined;
}

/** JSON in quotes is YAML, whatever a path holds. */
const quoted = (text: string): string => JSON.stringify(text);

const retry = "retry: { attempts: 5, every: 2s, thenEvery: 30s }";

/** The keyturn.yaml of the seeded targets. */
export function makeConfiguration({ vaultUrl, topicEndpoint, postgres, caFile, every }: Places) {
  return `# Written anew by each "npm start". To try changes, copy it and run: npm start -- --config COPY
version: 1

vaults:
  local: { url: ${quoted(vaultUrl)} }

# For real life it is 90d rather than 15s.
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
