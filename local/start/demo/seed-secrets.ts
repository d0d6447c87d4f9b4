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
  /** By account, as the vault has them. */
  readonly of: ReadonlyMap<string, string>;
  /** Changes when the vault was begun anew. */
  readonly vaultVersion: string;
}

/** Makes the secrets that are missing, and tells what the vault says about each account. */
export async function seedSecrets(
  vault: SecretClient,
  place: Place,
  topicKey: string,
): Promise<Passwords> {
  const jsonWith = (username: string, rest: object) => () =>
    JSON.stringify({ ...rest, username, password: randomBytes(30).toString("base64url") });
  const admin = await readOrMake(vault, adminSecret, jsonWith(adminAccount, {}), jsonType);
  await keep(vault, topicKeySecret, topicKey);
  const accounts = await Promise.all(
    seeds.map(async ({ id, accounts: [first] }) => {
      const make = jsonWith(first, { engine: "postgresql", ...place, database: id });
      return atPlace(vault, id, place, await readOrMake(vault, id, make, jsonType));
    }),
  );
  const known = [admin, ...accounts].map(({ value }) => stored.parse(JSON.parse(value)));
  return {
    of: new Map(known.map(({ username, password }) => [username, password])),
    vaultVersion: admin.version,
  };
}

const jsonType = "application/json";

/** The server may have had to take another port than the one that was published. */
async function atPlace(
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

/** Written only when it differs: every version of a secret is kept for ever. */
async function keep(vault: SecretClient, name: string, value: string): Promise<void> {
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
