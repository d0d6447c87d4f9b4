import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import { unpackDebian, type Unpacked, type Wanted } from "./cache/debian.ts";
import { makeAdmin } from "./process/credential.ts";
import { type Folder, makeFolder, writeTlsFiles } from "./process/folder.ts";
import { launch } from "./process/launch.ts";
import { toStartedServer } from "./process/started.ts";
import { readRedisVersion } from "./redis-greeting.ts";
import { type StartedServer, type StartOptions, systems } from "./server.ts";

/** How one relative of Redis differs from the others. */
export interface RedisRelative {
  readonly wanted: Omit<Wanted, "prepare">;
  /** "redis" or "valkey": the first part of the names of its programs. */
  readonly name: string;
}

export interface RedisOptions extends StartOptions {
  /**
   * Where the server keeps ACL users over a restart. `aclfile` (default): in a file of its own, by ACL SAVE. `config`: in its
   * configuration file, by CONFIG REWRITE. `nowhere`: it has neither file, and a restart knows the admin only.
   */
  readonly users?: "aclfile" | "config" | "nowhere";
  /** Makes this server a replica of another one, with that one's admin. */
  readonly replicaOf?: StartedServer;
}

/** Starts a server with TLS only, the admin, and the user `default` switched off. */
export async function startRedisRelative(
  relative: RedisRelative,
  { users = "aclfile", replicaOf, flags }: RedisOptions,
): Promise<StartedServer> {
  const { wanted, name } = relative;
  const { system } = wanted;
  const program = `usr/bin/${name}-server`;
  const unpacked = await unpackDebian({ ...wanted, prepare: (it) => linkServer(it, name) });
  const folder = await makeFolder(system);
  const tls = await writeTlsFiles(folder);
  const admin = replicaOf?.admin ?? makeAdmin();
  const usersFlags = await writeUsers(folder, users, admin);
  const server = await launch({
    name: systems[system],
    folder,
    command: (port) =>
      unpacked.command(
        program,
        // First, because a configuration file is not a flag.
        ...usersFlags,
        ...["--bind", "127.0.0.1", "--port", "0", "--tls-port", String(port)],
        ...["--tls-cert-file", tls.certFile, "--tls-key-file", tls.keyFile],
        ...["--tls-ca-cert-file", tls.caFile, "--tls-auth-clients", "no"],
        ...["--save", "", "--appendonly", "no", "--dir", folder.path],
        // Replicas start at once.
        ...["--repl-diskless-sync-delay", "0"],
        ...replicaFlags(replicaOf),
      ),
    ready: /Ready to accept connections/,
    flags,
  });
  const version = await readRedisVersion({
    host: "127.0.0.1",
    port: server.port,
    ca: tls.ca,
    admin,
  });
  return toStartedServer(server, { system, tls, version, admin, data: folder.path });
}

/** The packages with the programs have the server under the name of a tool; the server's own package has a link to it. */
async function linkServer({ folder }: Unpacked, name: string): Promise<void> {
  const link = join(folder, `usr/bin/${name}-server`);
  if (!existsSync(link)) await symlink(`${name}-check-rdb`, link);
}

async function writeUsers(
  folder: Folder,
  place: NonNullable<RedisOptions["users"]>,
  { account, secret }: Credential,
): Promise<readonly string[]> {
  const hash = createHash("sha256").update(secret.reveal()).digest("hex");
  const users = ["default off", `${account} on ~* &* +@all #${hash}`];
  const lines = users.map((user) => `user ${user}\n`).join("");
  switch (place) {
    case "aclfile":
      return ["--aclfile", await folder.write("users.acl", lines)];
    case "config":
      return [await folder.write("server.conf", lines)];
    case "nowhere":
      return users.flatMap((user) => ["--user", ...user.split(" ")]);
  }
}

function replicaFlags(primary: StartedServer | undefined): readonly string[] {
  if (primary === undefined) return [];
  const { host, port, admin } = primary;
  return [
    ...["--replicaof", host, String(port), "--tls-replication", "yes"],
    ...["--masteruser", admin.account, "--masterauth", admin.secret.reveal()],
  ];
}
