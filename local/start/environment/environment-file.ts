import { z } from "zod";

/** The content of environment.json, for tools and tests. */
export const environmentShape = z.object({
  functions: z.object({
    /** `http://127.0.0.1:PORT`; the API is below `/api`. */
    url: z.string(),
    /** For the header `x-functions-key`. */
    key: z.string(),
  }),
  keyVault: z.object({ url: z.string() }),
  /** The environment variables that `ManagedIdentityCredential` reads. */
  identity: z.object({ IDENTITY_ENDPOINT: z.string(), IDENTITY_HEADER: z.string() }),
  storage: z.object({ connectionString: z.string() }),
  /** The custom topic that Keyturn publishes to; `GET url/events` with the header `aeg-sas-key` reads it. */
  events: z.object({ url: z.string(), endpoint: z.string(), key: z.string() }),
  /** Each entry has the log-in of the server's own administrator. */
  databases: z.array(
    z.object({
      name: z.string(),
      host: z.string(),
      port: z.number(),
      caFile: z.string(),
      adminUser: z.string(),
      adminPassword: z.string(),
    }),
  ),
  configuration: z.string(),
  logs: z.object({ functions: z.string(), postgresql: z.string() }),
  processes: z.array(z.object({ name: z.string(), pid: z.number() })),
});

export type EnvironmentFile = z.output<typeof environmentShape>;
