import { createHash, randomBytes } from "node:crypto";
import { createClient } from "@redis/client";
import { z } from "zod";
import { findFreePort } from "../../../local/free-port.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { redis, type RedisOptions } from "../../../shared/rotators/redis/redis.ts";
import { startRedis, type StartRedisOptions, useRedis } from "../../servers/redis.ts";
import type { RedisOptions as StartOptions } from "../../servers/redis-family.ts";
import type { StartedServer, TestServer } from "../../servers/server.ts";
import { startValkey, useValkey } from "../../servers/valkey.ts";

const newer = (options?: StartOptions): StartRedisOptions => ({ ...options, release: "newer" });

/** `start` starts a server; `use` prefers one that the environment names. */
const servers = {
  redis: { start: startRedis, use: useRedis },
  "newer redis": {
    start: (options?: StartOptions) => startRedis(newer(options)),
    use: (options?: StartOptions) => useRedis(newer(options)),
  },
  valkey: { start: startValkey, use: useValkey },
};

export type RedisKind = keyof typeof servers;
export const redisKinds = Object.keys(servers) as RedisKind[];

type Client = Awaited<ReturnType<typeof open>>;

/** A real Redis or Valkey, and the plain client that checks the result. */
export interface RedisTarget<Server extends TestServer = TestServer> {
  readonly server: Server;
  /** An admin with the rights of the documentation. */
  readonly admin: Credential;
  optionsWith(changed?: object): RedisOptions;
  /** Runs a command with all rights. */
  command(...words: readonly string[]): Promise<unknown>;
  /** Does the same for a reply that is a text. */
  text(...words: readonly string[]): Promise<string>;
  /** Creates a user with these rules and no others. It is deleted with the target. */
  user(name: string, ...rules: readonly string[]): Promise<void>;
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
  stop(): Promise<void>;
}

/** A server that this process has started, for tests that restart it or give it flags. */
export interface StartedRedisTarget extends RedisTarget<StartedServer> {
  /** Speaks no TLS. */
  readonly plainPort: number;
  /** Restarts the server, and logs in to it again. */
  restart(flags?: readonly string[]): Promise<void>;
}

export const newSecret = () => new Secret(`Aa1-${randomBytes(24).toString("base64url")}`);

export const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");

/** Those of docs/rotators/redis.md. */
const adminRights = [
  ...["-@all", "+acl|getuser", "+acl|setuser", "+acl|save", "+acl|list", "+config|rewrite"],
  ...["+acl|dryrun", "+client|list"],
];

const users = z.object({ passwords: z.array(z.string()) });

const plainName = "plain-client";

async function open({ host, port, ca }: TestServer, username: string, password: string) {
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
  kind: RedisKind,
  { flags = [], ...options }: StartOptions = {},
): Promise<StartedRedisTarget> {
  const plainPort = await findFreePort();
  const withPort = ["--port", String(plainPort), ...flags];
  const server = await servers[kind].start({ ...options, flags: withPort });
  const { logInAgain, ...target } = await openTarget(server, options.replicaOf !== undefined);
  return {
    ...target,
    plainPort,
    restart: (more = []) => logInAgain(() => server.restart(more)),
  };
}

/** The server that the environment names, or one that it starts. */
export async function useRedisTarget(
  kind: RedisKind,
  options: StartOptions = {},
): Promise<RedisTarget> {
  return openTarget(await servers[kind].use(options), false);
}

async function openTarget<Server extends TestServer>(server: Server, isReplica: boolean) {
  const clients = new Set<Client>();
  const made = new Set<string>();
  let own = 0;
  const enter = (account: string, secret: string) => {
    own += 1;
    return open(server, account, secret);
  };
  const superuser = () => enter(server.admin.account, server.admin.secret.reveal());
  let root = await superuser();
  const command = (...words: readonly string[]) => root.sendCommand(words);
  const text = async (...words: readonly string[]) => z.string().parse(await command(...words));
  async function user(name: string, ...rules: readonly string[]): Promise<void> {
    made.add(name);
    await command("ACL", "SETUSER", name, "reset", "on", ...rules);
  }
  const admin = { account: "rotation_admin", secret: newSecret() };
  if (!isReplica) await user(admin.account, `>${admin.secret.reveal()}`, ...adminRights);

  const target: RedisTarget<Server> = {
    server,
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
    user,
    async account(name, ...secrets) {
      const passwords = secrets.map((secret) => `>${secret}`);
      await user(name, ...passwords, ...adminRights, "~app:*", "+get");
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
    async stop() {
      for (const client of clients) client.destroy();
      // A test may have stopped the server, or changed the user default, which cannot be deleted.
      await command("ACL", "DELUSER", ...made).catch(() => undefined);
      root.destroy();
      await server.stop();
    },
  };
  return {
    ...target,
    logInAgain: async (restart: () => Promise<void>) => {
      root.destroy();
      await restart();
      own = 0;
      root = await superuser();
    },
  };
}
