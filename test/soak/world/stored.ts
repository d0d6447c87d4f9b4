import { randomBytes } from "node:crypto";
import type { SecretClient } from "@azure/keyvault-secrets";
import type { Database } from "./database.ts";
import { isPair, publishedName, secondName, type SoakTarget } from "./targets.ts";

export interface Stored {
  readonly username: string;
  readonly password: string;
  readonly version: string;
}

export const newPassword = (): string => `Aa1-${randomBytes(24).toString("base64url")}`;

/** Writes a version like a person. */
export async function store(
  secrets: SecretClient,
  name: string,
  credential: Omit<Stored, "version">,
): Promise<void> {
  const { username, password } = credential;
  await secrets.setSecret(name, JSON.stringify({ username, password }));
}

/** Reads the secret like a consumer. Returns undefined when it is deleted or its newest version is disabled. */
export async function readPublished(
  secrets: SecretClient,
  id: string,
): Promise<Stored | undefined> {
  return readStored(secrets, publishedName(id)).catch(() => undefined);
}

async function readStored(secrets: SecretClient, name: string, version?: string): Promise<Stored> {
  const found = await secrets.getSecret(name, version === undefined ? {} : { version });
  const { username, password } = JSON.parse(found.value ?? "") as Omit<Stored, "version">;
  return { username, password, version: found.properties.version ?? "" };
}

export async function isServed(
  secrets: SecretClient,
  database: Database,
  id: string,
): Promise<boolean> {
  const credential = await readPublished(secrets, id);
  if (credential === undefined) return false;
  return (await database.logIn(credential.username, credential.password)) === "accepted";
}

/** Older versions were superseded long ago, even after many rotations in one fault. */
const newest = 40;

/** Whether any readable version in the vault logs in for the target. */
export async function hasWorkingSecret(
  secrets: SecretClient,
  database: Database,
  target: SoakTarget,
): Promise<boolean> {
  const names = [publishedName(target.id), `keyturn-pending-${target.id}`];
  if (isPair(target)) names.push(secondName(target.id));
  // A running rotation may write the only working version after the list was read.
  for (let look = 1; look <= 3; look++) {
    for (const { name, version } of await readableVersions(secrets, names)) {
      const credential = await readStored(secrets, name, version).catch(() => undefined);
      if (credential === undefined) continue;
      if ((await database.logIn(credential.username, credential.password)) === "accepted")
        return true;
    }
  }
  return false;
}

async function readableVersions(secrets: SecretClient, names: readonly string[]) {
  const found: { name: string; version: string; createdOn: number }[] = [];
  for (const name of names) {
    try {
      for await (const each of secrets.listPropertiesOfSecretVersions(name)) {
        const { enabled, version = "", createdOn } = each;
        if (enabled === true) found.push({ name, version, createdOn: createdOn?.getTime() ?? 0 });
      }
    } catch {
      // There is no such secret yet.
    }
  }
  return found.sort((one, other) => other.createdOn - one.createdOn).slice(0, newest);
}
