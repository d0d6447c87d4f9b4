import {
  DefaultAzureCredential,
  ManagedIdentityCredential,
  type TokenCredential,
} from "@azure/identity";
import type { Settings } from "./config/settings.ts";
import type { StorageConnection } from "./stores/storage-access.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the managed identity where the platform provides one, or else the identity that a developer signed in with. */
export function makeAzureCredential(
  environment: Environment,
  clientId: string | undefined,
): TokenCredential {
  if (environment["IDENTITY_ENDPOINT"] === undefined) return new DefaultAzureCredential();
  return clientId === undefined
    ? new ManagedIdentityCredential()
    : new ManagedIdentityCredential({ clientId });
}

/** Connects to a service of the storage account of the app. */
export function makeConnection(
  service: "queue" | "table" | "blob",
  storage: Settings["storage"],
  environment: Environment,
): StorageConnection {
  if (storage.as === "connection-string") {
    return { connectionString: storage.connectionString.reveal() };
  }
  const { queueUrl, tableUrl, blobUrl } = storage;
  const endpoint = { queue: queueUrl, table: tableUrl, blob: blobUrl }[service];
  return { endpoint, credential: makeAzureCredential(environment, storage.clientId) };
}
