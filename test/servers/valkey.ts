import { findOwnServer } from "./own.ts";
import { type RedisOptions, startRedisRelative } from "./redis-family.ts";
import { readRedisVersion } from "./redis-greeting.ts";
import type { StartedServer, TestServer } from "./server.ts";

/** Starts Valkey of Debian unstable, on a TLS port only. */
export const startValkey = (options: RedisOptions = {}): Promise<StartedServer> =>
  startRedisRelative(
    {
      name: "valkey",
      wanted: { system: "valkey", suite: "sid", packages: ["valkey-tools"] },
    },
    options,
  );

/** Returns the server that KEYTURN_TEST_VALKEY names, or starts one. For suites that run on any server. */
export const useValkey = async (options?: RedisOptions): Promise<TestServer> =>
  (await findOwnServer("valkey", readRedisVersion)) ?? startValkey(options);
