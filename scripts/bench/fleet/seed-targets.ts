import type { Policy } from "../../../shared/core/policy/policy.ts";
import { defaultPasswordRules } from "../../../shared/core/secrets/password.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import type { Endpoint, Target } from "../../../shared/core/target.ts";
import { day, hour, minute } from "../../../shared/core/time.ts";
import { makeOperations } from "../../../shared/engine/operations.ts";
import type { Ports } from "../../../shared/engine/ports.ts";
import type { MemorySystem } from "../../../shared/rotators/memory.ts";

/** The defaults of the configuration. */
const policy: Policy = {
  name: "default",
  every: 90 * day,
  password: defaultPasswordRules,
  retry: { attempts: 3, every: 10 * minute, thenEvery: 6 * hour },
};

const adminName = "app-admin";
const adminPassword = "secret-of-admin";

/** Accounts on one server. */
const accountsPerServer = 10;

/** Makes targets with single accounts that an admin changes, spread evenly over vaults and servers. Target, account and secret share a name. */
export function makeTargets(count: number, vaults: readonly string[]): readonly Target[] {
  const servers = Math.ceil(count / accountsPerServer);
  return Array.from({ length: count }, (_, index): Target => {
    const id = `t${String(index).padStart(7, "0")}`;
    const vault = vaults[index % vaults.length] ?? "";
    return {
      ...{
        id,
        type: "memory",
        options: { server: index % servers },
        slots: [{ account: id }],
        policy,
      },
      authority: { as: "admin", secret: { vault, name: adminName } },
      publish: { vault, name: id, as: "json" },
      ...{ policyWhy: "the default", policiesPassedOver: [], grace: day, consumers: [], tags: {} },
    };
  });
}

/** Where the target is, so that an instance can distinguish servers. */
export function findServer(options: unknown): Endpoint {
  const { server } = options as { readonly server: number };
  return { engine: "memory", host: `server-${server}`, port: 0 };
}

export interface Seeding {
  readonly targets: readonly Target[];
  readonly system: MemorySystem;
  /** Ports without latencies and limits. */
  readonly ports: Omit<Ports, "emit">;
}

/** Gives every target an account and a published secret, and has the engine adopt it. */
export async function seedTargets({ targets, system, ports }: Seeding): Promise<void> {
  const store = async (vault: string, name: string, credential: object) => {
    const value = new Secret(JSON.stringify(credential));
    const content = { value, contentType: "application/json", tags: {} };
    await ports.vault(vault)?.write(name, content, new AbortController().signal);
  };
  system.passwords.set("admin", new Secret(adminPassword));
  system.admins.add("admin");
  for (const vault of new Set(targets.map(({ publish }) => publish.vault))) {
    await store(vault, adminName, { username: "admin", password: adminPassword });
  }
  const queue = { send: () => Promise.resolve() };
  const app = makeOperations({ ports, queue, targets, vaultAt: () => undefined })(() => undefined);
  for (const { id, publish } of targets) {
    const password = `first-secret-of-${id}`;
    system.passwords.set(id, new Secret(password));
    await store(publish.vault, id, { username: id, password });
    await app.work({ targetId: id, because: "due" });
  }
}
