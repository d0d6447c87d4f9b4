import { z } from "zod";
import { findUnfitName } from "../common/connection/account-name.ts";
import { host as hostName } from "../common/connection/host.ts";
import { withoutRepeatedServers } from "../common/connection/repeated.ts";
import { tls } from "../common/connection/tls.ts";

/** Azure Cache for Redis, its Enterprise tiers and Azure Managed Redis, in every cloud. */
const azureRedis =
  /\.(?:redis\.cache|redisenterprise\.cache|redis)\.(?:windows\.net|azure\.(?:net|us|cn)|usgovcloudapi\.net|chinacloudapi\.cn|cloudapi\.de)\.?$/i;

const host = hostName.refine((name) => !azureRedis.test(name), {
  error:
    "is a Redis service of Azure, which blocks the ACL commands. Rotate its access keys instead: use type azure-key with service: redis " +
    "or managed-redis",
});
const port = z.int().min(1).max(65535).default(6379);

const node = z.strictObject(
  { host, port },
  {
    error: ({ input }) =>
      typeof input === "string"
        ? "must be a mapping, such as { host: redis-2.example.com, port: 6379 }"
        : undefined,
  },
);

export const redisOptions = z
  .strictObject({
    host,
    port,
    /** Further servers with the same account, such as replicas or the other nodes of a cluster: Redis does not replicate users. */
    nodes: z.array(node).min(1).exactOptional(),
    /** `auto`: each server saves its users after a change. `none`: something else restores them after a restart. */
    persist: z.enum(["auto", "none"]).default("auto"),
    tls: tls.prefault({}),
  })
  .superRefine(
    withoutRepeatedServers(({ nodes = [], ...first }) => [
      { path: ["host"], address: describeNode(first) },
      ...nodes.map((node, index) => ({ path: ["nodes", index], address: describeNode(node) })),
    ]),
  );

export type RedisOptions = z.output<typeof redisOptions>;

/** One server that has the account. */
export interface Node {
  readonly host: string;
  readonly port: number;
  readonly tls: RedisOptions["tls"];
}

/** Pure: every server that has the account. */
export function listNodes({
  host: first,
  port: at,
  nodes = [],
  tls: secure,
}: RedisOptions): Node[] {
  return [{ host: first, port: at }, ...nodes].map((node) => ({ ...node, tls: secure }));
}

export function describeNode(node: { readonly host: string; readonly port: number }): string {
  const host = node.host.toLowerCase();
  return `${host.includes(":") ? `[${host}]` : host}:${node.port}`;
}

/** What a server says that it is. Undefined: it has not said so yet. */
export type Engine = "Redis" | "Valkey" | undefined;

/** Describes the account in messages. */
export function describeAccount(node: Node, account: string, engine?: Engine): string {
  return `${engine ?? "Redis or Valkey"} at ${describeNode(node)}, account ${account}`;
}

/** Pure: a word as redis-cli takes it, for commands that a person runs. */
export const quoteWord = (word: string): string =>
  /["'\\]/.test(word) ? `"${word.replaceAll(/["\\]/g, String.raw`\$&`)}"` : word;

/** See `Rotator.findUnfitAccount`. */
export function findUnfitAccount(account: string): string | undefined {
  return /[\0\t-\r ]/.test(account)
    ? "must not contain a space, a tab, a line break or a NUL character, which the names of users of Redis and Valkey cannot have"
    : findUnfitName(account);
}
