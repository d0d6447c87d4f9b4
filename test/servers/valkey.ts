import { type RedisOptions, startRedisRelative } from "./redis-family.ts";
import type { StartedServer } from "./server.ts";

/** Starts Valkey of Debian unstable, on a TLS port only. */
export const startValkey = (options: RedisOptions = {}): Promise<StartedServer> =>
  startRedisRelative(
    {
      name: "valkey",
      wanted: { name: "valkey", system: "valkey", suite: "sid", packages: ["valkey-tools"] },
    },
    options,
  );
