/** Hosted services that speak the protocol of MongoDB and manage their users in their own ways. */

interface Service {
  readonly suffix: string;
  readonly why: string;
}

const unsupported: readonly Service[] = [
  {
    suffix: ".mongodb.net",
    why:
      "is a host of MongoDB Atlas, which changes users only through its own administration API. " +
      "Change its users there, or let the application log in with its managed identity (workload identity federation)",
  },
  ...[".mongo.cosmos.azure.com", ".documents.azure.com"].map((suffix) => ({
    suffix,
    why:
      "is a host of Azure Cosmos DB for MongoDB (RU), whose password is a key of the Azure account. " +
      "Regenerate the key in Azure instead",
  })),
];

/** Why users on this host cannot be changed through the database, as the predicate of a sentence; undefined if they can. */
export function findUnsupported(host: string): string | undefined {
  const name = host.toLowerCase().replace(/\.$/, "");
  return unsupported.find(({ suffix }) => name.endsWith(suffix))?.why;
}

/** Azure DocumentDB, also named Azure Cosmos DB for MongoDB vCore. */
export function isAzureDocumentDb(host: string): boolean {
  return /\.mongocluster\.cosmos\.azure\.(com|us|cn)\.?$/i.test(host);
}
