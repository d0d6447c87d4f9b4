import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import { findOwnServer } from "./own.ts";
import { makeAdmin } from "./process/credential.ts";
import {
  type Address,
  createAdmin,
  describeMongod,
  launchMongod,
  type Mongod,
  readVersion,
  withClient,
} from "./process/mongod.ts";
import type { StartedServer, StartOptions, TestServer } from "./server.ts";

/** Starts one mongod that belongs to no replica set. Connections must use TLS. */
export async function startMongodb(options: StartOptions = {}): Promise<StartedServer> {
  const mongod = await launchMongod(options, () => Promise.resolve([]));
  try {
    const admin = makeAdmin();
    await createAdmin(mongod, admin);
    return await describeMongod(mongod, admin);
  } catch (error) {
    await mongod.server.stop();
    throw error;
  }
}

/** Returns the server that KEYTURN_TEST_MONGODB names, or starts one. For suites that run on any server. */
export const useMongodb = async (): Promise<TestServer> =>
  (await findOwnServer("mongodb", ({ admin, ...address }) => readVersion(address, admin))) ??
  startMongodb();

export interface ReplicaSetOptions extends StartOptions {
  /** Members that vote and can become primary. Default: 3. */
  readonly members?: number;
}

export interface ReplicaSet {
  readonly name: string;
  /** Each has the same `admin` and `ca`. */
  readonly members: readonly StartedServer[];
  /** Addresses for the option `hosts` or a connection string, such as "127.0.0.1:27017". */
  readonly hosts: readonly string[];
  readonly ca: string;
  readonly caFile: string;
  readonly version: string;
  readonly admin: Credential;
  /** Returns the present primary. Waits up to 30 s for an election. */
  primary(): Promise<StartedServer>;
  /** Stops all members. Safe to repeat. */
  stop(): Promise<void>;
}

const setName = "rs0";

const hostOf = ({ port }: Mongod): string => `127.0.0.1:${String(port)}`;

/** Starts a replica set, with a key file between its members. Connections must use TLS. */
export async function startReplicaSet(options: ReplicaSetOptions = {}): Promise<ReplicaSet> {
  const { members: count = 3, ...rest } = options;
  const key = randomBytes(48).toString("base64");
  const launched = await Promise.allSettled(
    Array.from({ length: count }, () =>
      launchMongod(rest, async (folder) => [
        ...["--replSet", setName, "--keyFile", await folder.write("key", key)],
      ]),
    ),
  );
  const mongods = launched.flatMap((it) => (it.status === "fulfilled" ? [it.value] : []));
  const stop = async () => {
    await Promise.all(mongods.map(({ server }) => server.stop()));
  };
  try {
    for (const it of launched) if (it.status === "rejected") throw it.reason;
    return await initiate(mongods, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function initiate(
  mongods: readonly Mongod[],
  stop: () => Promise<void>,
): Promise<ReplicaSet> {
  const hosts = mongods.map(hostOf);
  const [first] = mongods;
  if (first === undefined) throw new Error("A replica set has at least one member.");
  const settings = { electionTimeoutMillis: 2000, heartbeatIntervalMillis: 500 };
  const config = {
    ...{ _id: setName, settings },
    members: hosts.map((host, index) => ({ _id: index, host })),
  };
  await withClient(first, (client) => client.db("admin").command({ replSetInitiate: config }));
  const admin = makeAdmin();
  await createAdmin(await findPrimary(mongods), admin, mongods.length);
  const members = await Promise.all(mongods.map((mongod) => describeMongod(mongod, admin)));
  const { ca, caFile, version } = await describeMongod(first, admin);
  return {
    ...{ name: setName, members, hosts, ca, caFile, version, admin },
    primary: () => findPrimary(members),
    stop,
  };
}

const electionTimeoutMs = 30_000;

async function findPrimary<Member extends Address>(members: readonly Member[]): Promise<Member> {
  for (const deadline = Date.now() + electionTimeoutMs; Date.now() < deadline;) {
    const answers = await Promise.allSettled(
      members.map((member) =>
        withClient(member, (client) => client.db("admin").command({ hello: 1 })),
      ),
    );
    const index = answers.findIndex(
      (it) => it.status === "fulfilled" && it.value["isWritablePrimary"] === true,
    );
    const primary = members[index];
    if (primary !== undefined) return primary;
    await wait(50);
  }
  throw new Error("The replica set has elected no primary in 30 s.");
}
