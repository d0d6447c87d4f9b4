import type { SecretClient } from "@azure/keyvault-secrets";
import { asJson, newPassword, type Places, type World } from "./world.ts";

/** A policy with rare rotations and quick retries. */
const policies = {
  default: { every: "90d", retry: { attempts: 5, every: "1s", thenEvery: "2s" } },
};

/** Makes a configuration with these targets, which notifies the topic. */
export function makeConfig(
  { vaultUrl, topicEndpoint }: Places,
  targets: Readonly<Record<string, object>>,
  more: object = {},
): object {
  return {
    version: 1,
    vaults: { main: { url: vaultUrl } },
    policies,
    targets,
    // Tests send more requests than people.
    api: { limits: { reads: 10_000, writes: 10_000 } },
    notify: [{ type: "event-grid", endpoint: topicEndpoint, key: { secret: "topic-key" } }],
    ...more,
  };
}

/** One account, changed by the administrator. */
export function single({ postgresql }: Places, account: string, more: object = {}): object {
  return {
    type: "postgresql",
    options: postgresql,
    accounts: [account],
    admin: { secret: "postgresql-admin" },
    publish: publishedName(account),
    ...more,
  };
}

export const own = (places: Places, account: string): object =>
  single(places, account, { admin: "self" });

/** Two accounts that take turns. */
export function pair(places: Places, name: string, more: object = {}): object {
  const accounts = [`${name}_a`, `${name}_b`];
  return { ...single(places, name), accounts, ...more };
}

/** The secret that consumers of the target read. */
export const publishedName = (name: string): string => `${name}-secret`;

/** Makes the account, and publishes its password as a version of this age in days. */
export async function seed(
  world: World,
  name: string,
  { account = name, ageInDays = 0 }: { account?: string; ageInDays?: number } = {},
): Promise<string> {
  const password = newPassword();
  await world.database.account(account, password);
  await world.store(publishedName(name), asJson(account, password), ageInDays);
  return password;
}

export async function seedPair(world: World, name: string, ageInDays = 0): Promise<string> {
  await world.database.account(`${name}_b`, newPassword());
  return seed(world, name, { account: `${name}_a`, ageInDays });
}

export interface Published {
  readonly username: string;
  readonly password: string;
  readonly version: string;
}

/** Reads the secret like a consumer, with the official client. */
export async function published(secrets: SecretClient, name: string): Promise<Published> {
  const { value = "", properties } = await secrets.getSecret(publishedName(name));
  const { username, password } = JSON.parse(value) as { username: string; password: string };
  return { username, password, version: properties.version ?? "" };
}

/** Counts the versions of a secret, including disabled ones. */
export async function countVersions(secrets: SecretClient, name: string): Promise<number> {
  const pages = secrets.listPropertiesOfSecretVersions(publishedName(name)).byPage();
  let count = 0;
  for await (const page of pages) count += page.length;
  return count;
}
