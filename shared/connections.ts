import {
  DefaultAzureCredential,
  ManagedIdentityCredential,
  type TokenCredential,
} from "@azure/identity";
import type { Settings } from "./config/settings.ts";
import type { StorageConnection } from "./stores/storage-access.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A managed identity wherever the platform offers one; on a developer's machine whatever is signed in there. */
export function azureCredential(
  environment: Environment,
  clientId: string | undefined,
): TokenCredential {
  if (environment["IDENTITY_ENDPOINT"] === undefined) return new DefaultAzureCredential();
  return clientId === undefined
    ? new ManagedIdentityCredential()
    : new ManagedIdentityCredential({ clientId });
}

/** To a service of the app's storage account. */
export function connectionTo(
  service: "queue" | "table" | "blob",
  storage: Settings["storage"],
  environment: Environment,
): StorageConnection {
  if (storage.as === "connection-string") {
    return { connectionString: storage.connectionString.reveal() };
  }
  const { queueUrl, tableUrl, blobUrl } = storage;
  const endpoint = { queue: queueUrl, table: tableUrl, blob: blobUrl }[service];
  return { endpoint, credential: azureCredential(environment, storage.clientId) };
}
