import { createHash, randomBytes } from "node:crypto";
import { createClient } from "@redis/client";
import { z } from "zod";
import { findFreePort } from "../../../local/free-port.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { redis, type RedisOptions } from "../../../shared/rotators/redis/redis.ts";
import { startRedis } from "../../servers/redis.ts";
import type { RedisOptions as StartRedisOptions } from "../../servers/redis-family.ts";
import type { StartedServer } from "../../servers/server.ts";
import { startValkey } from "../../servers/valkey.ts";

export type RedisSystem = "redis" | "valkey";

type Client = Awaited<ReturnType<typeof open>>;

/** A real Redis or Valkey, and the plain client that checks the result. */
export interface RedisTarget {
  readonly server: StartedServer;
  /** Speaks no TLS. */
  readonly plainPort: number;
  /** An admin with the rights of the documentation. */
  readonly admin: Credential;
  optionsWith(changed?: object): RedisOptions;
  /** Runs a command with all rights. */
  command(...words: readonly string[]): Promise<unknown>;
  /** Does the same for a reply that is a text. */
  text(...words: readonly string[]): Promise<string>;
  /** Creates a user that may change itself, or sets this password for an existing one, as its only one. */
  account(name: string, ...secrets: readonly string[]): Promise<void>;
  logsIn(account: string, secret: string): Promise<boolean>;
  /** Stays logged in. The client is closed with the target. */
  open(account: string, secret: string): Promise<Client>;
  hashesOf(account: string): Promise<readonly string[]>;
  snapshot(): Promise<unknown>;
  /** Connections from others than the plain client, ever. Each is one log-in. */
  logIns(): Promise<number>;
  openConnections(): Promise<number>;
  /** Restarts the server, and logs in to it again. */
  restart(flags?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export const newSecret = () => new Secret(`Aa1-${randomBytes(24).toString("base64url")}`);

export const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");

/** Those of docs/rotators/redis.md. */
const adminRights = [
  ...["-@all", "+acl|getuser", "+acl|setuser", "+acl|save", "+config|rewrite", "+acl|dryrun"],
  "+client|list",
];

const users = z.object({ passwords: z.array(z.string()) });

const plainName = "plain-client";

async function open(
  { host, port, ca }: Pick<StartedServer, "host" | "port" | "ca">,
  username: string,
  password: string,
) {
  const client = createClient({
    username,
    password,
    name: plainName,
    RESP: 3,
    disableClientInfo: true,
    maintNotifications: "disabled",
    socket: { host, port, tls: true, ca, reconnectStrategy: false },
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

export async function startRedisTarget(
  system: RedisSystem,
  { flags = [], ...options }: StartRedisOptions = {},
): Promise<RedisTarget> {
  const plainPort = await findFreePort();
  const start = system === "redis" ? startRedis : startValkey;
  const server = await start({ ...options, flags: ["--port", String(plainPort), ...flags] });
  const clients = new Set<Client>();
  let own = 0;
  const enter = (account: string, secret: string) => {
    own += 1;
    return open(server, account, secret);
  };
  const superuser = () => enter(server.admin.account, server.admin.secret.reveal());
  let root = await superuser();
  const command = (...words: readonly string[]) => root.sendCommand(words);
  const text = async (...words: readonly string[]) => z.string().parse(await command(...words));
  const admin = { account: "rotation_admin", secret: newSecret() };
  if (options.replicaOf === undefined) {
    await command(
      ...["ACL", "SETUSER", admin.account, "on", `>${admin.secret.reveal()}`, ...adminRights],
    );
  }

  return {
    server,
    plainPort,
    admin,
    optionsWith: (changed = {}) =>
      redis.options.parse({
        host: server.host,
        port: server.port,
        tls: { caFile: server.caFile },
        ...changed,
      }),
    command,
    text,
    async account(name, ...secrets) {
      const passwords = secrets.map((secret) => `>${secret}`);
      await command(
        ...["ACL", "SETUSER", name, "reset", "on", ...passwords, ...adminRights, "~app:*", "+get"],
      );
    },
    async logsIn(account, secret) {
      try {
        (await enter(account, secret)).destroy();
        return true;
      } catch (error) {
        if (error instanceof Error && error.message.startsWith("WRONGPASS")) return false;
        throw error;
      }
    },
    async open(account, secret) {
      const client = await enter(account, secret);
      clients.add(client);
      return client;
    },
    async hashesOf(account) {
      const { passwords } = users.parse(await command("ACL", "GETUSER", account));
      return passwords.toSorted();
    },
    snapshot: () => command("ACL", "LIST"),
    async logIns() {
      const stats = await text("INFO", "stats");
      return Number(/^total_connections_received:(\d+)/m.exec(stats)?.[1]) - own;
    },
    async openConnections() {
      const list = (await text("CLIENT", "LIST")).trim().split("\n");
      return list.filter((line) => !line.includes(` name=${plainName} `)).length;
    },
    async restart(more = []) {
      root.destroy();
      await server.restart(["--port", String(plainPort), ...flags, ...more]);
      own = 0;
      root = await superuser();
    },
    async stop() {
      for (const client of clients) client.destroy();
      root.destroy();
      await server.stop();
    },
  };
}
