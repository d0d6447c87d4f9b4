import { findOwnServer } from "./own.ts";
import { type RedisOptions, startRedisRelative } from "./redis-family.ts";
import { readRedisVersion } from "./redis-greeting.ts";
import type { StartedServer, TestServer } from "./server.ts";

export interface StartRedisOptions extends RedisOptions {
  /** Default: the version of this machine's suite, such as 7.0. `newer`: the version of Debian unstable, such as 8.0. */
  readonly release?: "newer";
}

const packages = ["redis-tools"];

/** Starts Redis, on a TLS port only. */
export const startRedis = ({
  release,
  ...options
}: StartRedisOptions = {}): Promise<StartedServer> =>
  startRedisRelative(
    {
      name: "redis",
      wanted:
        release === "newer"
          ? { system: "redis", suite: "sid", packages }
          : { system: "redis", suite: "own", packages },
    },
    options,
  );

/** Returns the server that KEYTURN_TEST_REDIS names, or starts one. For suites that run on any server. */
export const useRedis = async (options?: StartRedisOptions): Promise<TestServer> =>
  (await findOwnServer("redis", readRedisVersion)) ?? startRedis(options);
