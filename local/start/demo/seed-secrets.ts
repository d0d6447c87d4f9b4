import { randomBytes } from "node:crypto";
import { isRestError, type SecretClient } from "@azure/keyvault-secrets";
import { z } from "zod";
import { adminAccount, adminSecret, seeds, topicKeySecret } from "./seeds.ts";

const stored = z.looseObject({
  username: z.string(),
  password: z.string(),
  host: z.string().optional(),
  port: z.number().optional(),
});

interface Place {
  readonly host: string;
  readonly port: number;
}

interface Found {
  readonly value: string;
  readonly version: string;
}

export interface Passwords {
  /** The passwords in the vault, by account. */
  readonly of: ReadonlyMap<string, string>;
  /** Differs when the vault was created again. */
  readonly vaultVersion: string;
}

/** Makes the missing secrets, and returns the password of each account in the vault. */
export async function seedSecrets(
  vault: SecretClient,
  place: Place,
  topicKey: string,
): Promise<Passwords> {
  const jsonWith = (username: string, rest: object) => () =>
    JSON.stringify({ ...rest, username, password: randomBytes(30).toString("base64url") });
  const admin = await readOrMake(vault, adminSecret, jsonWith(adminAccount, {}), jsonType);
  await setIfChanged(vault, topicKeySecret, topicKey);
  const accounts = await Promise.all(
    seeds.map(async ({ id, accounts: [first] }) => {
      const make = jsonWith(first, { engine: "postgresql", ...place, database: id });
      return publishPlace(vault, id, place, await readOrMake(vault, id, make, jsonType));
    }),
  );
  const known = [admin, ...accounts].map(({ value }) => stored.parse(JSON.parse(value)));
  return {
    of: new Map(known.map(({ username, password }) => [username, password])),
    vaultVersion: admin.version,
  };
}

const jsonType = "application/json";

/** Publishes the secret again when the server now has another address than the published one. */
async function publishPlace(
  vault: SecretClient,
  name: string,
  { host, port }: Place,
  found: Found,
): Promise<Found> {
  const body = stored.parse(JSON.parse(found.value));
  if (body.host === host && body.port === port) return found;
  const value = JSON.stringify({ ...body, host, port });
  const { properties } = await vault.setSecret(name, value, { contentType: jsonType });
  return { value, version: properties.version ?? "" };
}

async function readOrMake(
  vault: SecretClient,
  name: string,
  make: () => string,
  contentType: string,
): Promise<Found> {
  const found =
    (await readIfThere(vault, name)) ?? (await vault.setSecret(name, make(), { contentType }));
  return { value: found.value ?? "", version: found.properties.version ?? "" };
}

/** Writes a secret only when its value differs, because the vault keeps every version. */
async function setIfChanged(vault: SecretClient, name: string, value: string): Promise<void> {
  const found = await readIfThere(vault, name);
  if (found?.value !== value) await vault.setSecret(name, value, { contentType: "text/plain" });
}

async function readIfThere(vault: SecretClient, name: string) {
  try {
    return await vault.getSecret(name);
  } catch (error) {
    if (isRestError(error) && error.statusCode === 404) return undefined;
    throw error;
  }
}
