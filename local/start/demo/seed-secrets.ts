import { randomBytes } from "node:crypto";
import type { SecretClient } from "@azure/keyvault-secrets";
import { z } from "zod";
import type { AzureDoubles } from "../environment/azure.ts";
import {
  adminAccount,
  adminSecret,
  databaseSeeds,
  entraSeed,
  openAiSeed,
  topicKeySecret,
} from "./seeds.ts";
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
  const admin = await readOrMake(vault, adminSecret, () => ({
    logIn: { username: adminAccount, password: makePassword() },
  }));
  const accounts = await Promise.all(
    databaseSeeds.map(({ id, accounts: [username] }) =>
      publishAccount(vault, id, place, () => ({
        logIn: { username, engine: "postgresql", database: id, password: makePassword() },
      })),
    ),
  );
  const logIns = [admin, ...accounts].map(({ value }) => logInShape.parse(JSON.parse(value)));
  return {
    of: new Map(logIns.map(({ username, password }) => [username, password])),
    vaultVersion: admin.version,
  };
}

/** Publishes what a person would have published: the first key alone, and the secret of the application with its client id. */
export async function seedMinted(
  vault: SecretClient,
  { openAi, entra }: Pick<AzureDoubles, "openAi" | "entra">,
): Promise<void> {
  if ((await readPublished(vault, openAiSeed.id)) === undefined) {
    const key = openAi.keys.now.get("key1")?.value ?? "";
    await vault.setSecret(openAiSeed.id, key, { contentType: "text/plain" });
  }
  const { hostname, port } = new URL(entra.logIn);
  const place = { host: hostname, port: Number(port) };
  await publishAccount(vault, entraSeed.id, place, () => {
    const { application, tenant: tenantId } = entra;
    const { text: password, keyId } = application.secrets.at(-1) ?? entra.put({ name: "by hand" });
    return {
      logIn: { username: application.appId, password, engine: "entra", tenantId },
      tags: { [idTag]: keyId },
    };
  });
}

/** The tag in which Keyturn keeps the id of a secret. */
const idTag = "keyturn-secret-id";

interface Made {
  readonly logIn: object;
  readonly tags?: Readonly<Record<string, string>>;
}

const makePassword = (): string => randomBytes(30).toString("base64url");

/** Publishes the log-in again when the server now has another address than the published one. */
async function publishAccount(
  vault: SecretClient,
  name: string,
  { host, port }: Place,
  make: () => Made,
): Promise<PublishedSecret> {
  const found = await readOrMake(vault, name, () => {
    const { logIn, tags } = make();
    return { logIn: { ...logIn, host, port }, ...(tags && { tags }) };
  });
  const logIn = logInShape.parse(JSON.parse(found.value));
  if (logIn.host === host && logIn.port === port) return found;
  const id = found.tags[idTag];
  return writeJson(vault, name, {
    logIn: { ...logIn, host, port },
    ...(id !== undefined && { tags: { [idTag]: id } }),
  });
}

async function readOrMake(
  vault: SecretClient,
  name: string,
  make: () => Made,
): Promise<PublishedSecret> {
  return (await readPublished(vault, name)) ?? writeJson(vault, name, make());
}

async function writeJson(
  vault: SecretClient,
  name: string,
  { logIn, tags = {} }: Made,
): Promise<PublishedSecret> {
  const value = JSON.stringify(logIn);
  const { properties } = await vault.setSecret(name, value, {
    contentType: "application/json",
    tags,
  });
  return { value, version: properties.version ?? "", tags };
}
