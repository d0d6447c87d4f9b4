/** Served by the Functions worker, and by nobody else: a copy of it in the bundle would register nothing. */
export const fromTheHost = ["@azure/functions-core"];

/** What packages ask for and can do without. None is installed, so the driver works as it does from node_modules. */
export const canBeMissing: Readonly<Record<string, string>> = {
  "pg-native": "pg: libpq instead of the client in JavaScript",
  kerberos: "mongodb: Kerberos log-in",
  "@mongodb-js/zstd": "mongodb: zstd compression",
  snappy: "mongodb: snappy compression",
  "@aws-sdk/credential-providers": "mongodb: AWS log-in",
  "gcp-metadata": "mongodb: Google log-in",
  socks: "mongodb: SOCKS proxy",
  "mongodb-client-encryption": "mongodb: encryption of fields",
};
