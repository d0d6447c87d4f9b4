/** The Functions worker provides this module. A copy of it in the bundle would register nothing. */
export const fromTheHost = ["@azure/functions-core"];

/** Optional modules of packages. None is installed, so the drivers work as from node_modules. */
export const canBeMissing: Readonly<Record<string, string>> = {
  "pg-native": "pg: libpq instead of the client in JavaScript",
  cardinal: "mysql2: colours in its debug output",
  "@node-rs/xxhash": "@redis/client: digests of values",
  kerberos: "mongodb: Kerberos log-in",
  "@mongodb-js/zstd": "mongodb: zstd compression",
  snappy: "mongodb: snappy compression",
  "@aws-sdk/credential-providers": "mongodb: AWS log-in",
  "gcp-metadata": "mongodb: Google log-in",
  socks: "mongodb: SOCKS proxy",
  "mongodb-client-encryption": "mongodb: encryption of fields",
};
