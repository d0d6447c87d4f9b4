import { randomBytes } from "node:crypto";
import type { SecretClient } from "@azure/keyvault-secrets";
import { z } from "zod";
import { adminAccount, adminSecret, seeds, topicKeySecret } from "./seeds.ts";
import { type PublishedSecret, readPublished } from "./vault.ts";

const logInShape = z.looseObject({
  username: z.string(),
  password: z.string(),
  host: z.string().optional(),
  port: z.number().optional(),
});

interface Place {
  readonly host: string;
  readonly port: number;
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
  // Written only when it differs, because the vault keeps every version.
  if ((await readPublished(vault, topicKeySecret))?.value !== topicKey) {
    await vault.setSecret(topicKeySecret, topicKey, { contentType: "text/plain" });
  }
  const admin = await readOrMake(vault, adminSecret, { username: adminAccount });
  const accounts = await Promise.all(
    seeds.map(({ id, accounts: [username] }) => publishAccount(vault, id, username, place)),
  );
  const logIns = [admin, ...accounts].map(({ value }) => logInShape.parse(JSON.parse(value)));
  return {
    of: new Map(logIns.map(({ username, password }) => [username, password])),
    vaultVersion: admin.version,
  };
}

/** Publishes the log-in again when the server now has another address than the published one. */
async function publishAccount(
  vault: SecretClient,
  id: string,
  username: string,
  { host, port }: Place,
): Promise<PublishedSecret> {
  const fresh = { username, engine: "postgresql", host, port, database: id };
  const found = await readOrMake(vault, id, fresh);
  const logIn = logInShape.parse(JSON.parse(found.value));
  if (logIn.host === host && logIn.port === port) return found;
  return writeJson(vault, id, { ...logIn, host, port });
}

/** Reads a log-in, or makes it with a new password. */
async function readOrMake(
  vault: SecretClient,
  name: string,
  logIn: object,
): Promise<PublishedSecret> {
  const password = randomBytes(30).toString("base64url");
  return (await readPublished(vault, name)) ?? writeJson(vault, name, { ...logIn, password });
}

async function writeJson(
  vault: SecretClient,
  name: string,
  logIn: object,
): Promise<PublishedSecret> {
  const value = JSON.stringify(logIn);
  const { properties } = await vault.setSecret(name, value, { contentType: "application/json" });
  return { value, version: properties.version ?? "" };
}
