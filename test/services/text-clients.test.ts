import { createClient } from "@redis/client";
import { MongoClient } from "mongodb";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { renderPayload } from "../../shared/core/payload/payload.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import type { Endpoint, Target, TextFormName } from "../../shared/core/target.ts";
import { requestRotation } from "../../shared/engine/inbox/request-rotation.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";
import { mysql } from "../../shared/rotators/mysql/mysql.ts";
import { postgresql } from "../../shared/rotators/postgresql/postgresql.ts";
import { redis } from "../../shared/rotators/redis/redis.ts";
import type { Rotator } from "../../shared/rotators/rotator.ts";
import {
  admin as mongodbAdmin,
  openMongodbTarget,
  placeOf,
} from "../contract/rotators/mongodb-target.ts";
import { startMysqlTarget } from "../contract/rotators/mysql-target.ts";
import { startPostgresqlTarget } from "../contract/rotators/postgresql-target.ts";
import { startRedisTarget } from "../contract/rotators/redis-target.ts";
import { hostileLogins } from "../core/payload/texts/hostile.ts";
import {
  type Kind,
  makeWorld,
  open,
  overlapAdmin,
  pairAdmin,
  singleAdmin,
} from "../engine/world.ts";
import { startMongodb } from "../servers/mongodb.ts";
import { askPython } from "./text-clients/python.ts";

const at = { host: "db.example.com", port: 4711 };

/** The texts of a system in a form, and the client that reads them. */
const read: readonly (readonly [string, TextFormName, string])[] = [
  ["postgresql", "uri", "read libpq"],
  ["postgresql", "libpq", "read libpq"],
  ["postgresql", "sqlalchemy", "read sqlalchemy"],
  ["mysql", "sqlalchemy", "read sqlalchemy"],
  ["sqlserver", "sqlalchemy", "read sqlalchemy"],
  ["redis", "uri", "read redis"],
];

test("Every credential in a text is read by libpq and by clients of Python", async () => {
  const cases = read.flatMap(([engine, as, client]) =>
    hostileLogins.map((login) => ({ engine, as, client, login })),
  );
  const database = (engine: string) => (engine === "redis" ? "" : "shop");
  const answers = await askPython(
    cases.map(({ engine, as, client, login: { username, password } }) => {
      const endpoint: Endpoint = { engine, ...at, database: database(engine) };
      const credential = { account: username, secret: new Secret(password) };
      return { client, text: renderPayload(as, credential, endpoint).value.reveal() };
    }),
  );
  expect(answers).toHaveLength(6 * hostileLogins.length);
  expect(answers).toEqual(
    cases.map(({ engine, login }) => ({ ...login, ...at, database: database(engine) })),
  );
});

interface Case {
  readonly kind: Kind;
  readonly rotator: Rotator;
  readonly as: TextFormName;
  readonly start: () => Promise<Server>;
}

interface Server {
  readonly admin: Credential;
  readonly options: unknown;
  readonly account: (name: string, secret: string) => Promise<unknown>;
  /** What a person has published, with the authority that signed the certificate of the server. */
  readonly text: (account: string, secret: string) => string;
  /** The account as which a client logs in that gets this text. */
  readonly logIn: (text: string) => Promise<string | undefined>;
  readonly stop: () => Promise<unknown>;
}

const encode = encodeURIComponent;

async function startPostgresqlServer(
  more: Pick<Server, "logIn"> & { readonly uri: boolean },
): Promise<Server> {
  const server = await startPostgresqlTarget();
  const { host, port, caFile, admin } = server;
  const options = postgresql.options.parse({ host, port, tls: { caFile } });
  const text = (user: string, password: string) =>
    more.uri
      ? `postgres://${user}:${password}@${host}:${port}/postgres?sslmode=verify-full&sslrootcert=${encode(caFile)}`
      : `host=${host} port=${port} user=${user} password=${password} dbname=postgres sslmode=verify-full sslrootcert='${caFile}'`;
  return {
    ...{ admin, options, text, logIn: more.logIn },
    account: (name, secret) => server.account(name, secret),
    stop: () => server.stop(),
  };
}

async function logInWithPg(text: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: text });
  await client.connect();
  const { rows } = await client.query<{ current_user: string }>("SELECT current_user");
  await client.end();
  return rows[0]?.current_user;
}

const logInWithPython = (client: string) => async (text: string) => {
  const [answer] = await askPython([{ client, text }]);
  return answer?.error ?? answer?.username;
};

async function startMysqlServer(): Promise<Server> {
  const server = await startMysqlTarget("mysql");
  const { host, port, caFile } = server.server;
  return {
    ...{ admin: server.admin, options: server.optionsWith() },
    account: (name, secret) => server.account(name, secret),
    text: (user, password) =>
      `mysql+pymysql://${user}:${password}@${host}:${port}/?ssl_ca=${encode(caFile)}&charset=utf8mb4`,
    logIn: logInWithPython("log in sqlalchemy"),
    stop: () => server.stop(),
  };
}

async function startMongodbServer(): Promise<Server> {
  const started = await startMongodb();
  const server = await openMongodbTarget(placeOf(started));
  const { host, port, caFile } = started;
  return {
    ...{ admin: mongodbAdmin, options: server.optionsWith() },
    account: (name, secret) => server.account(name, secret),
    text: (user, password) =>
      `mongodb://${user}:${password}@${host}:${port}/orders?tls=true&tlsCAFile=${encode(caFile)}&maxPoolSize=5`,
    async logIn(text) {
      const client = new MongoClient(text);
      try {
        await client.connect();
        const { authInfo } = await client.db().command({ connectionStatus: 1 });
        const { authenticatedUsers } = authInfo as { authenticatedUsers: { user: string }[] };
        return authenticatedUsers[0]?.user;
      } finally {
        await client.close();
      }
    },
    async stop() {
      await server.close();
      await started.stop();
    },
  };
}

async function startRedisServer(): Promise<Server> {
  const server = await startRedisTarget("redis");
  const { host, port, ca } = server.server;
  return {
    ...{ admin: server.admin, options: server.optionsWith() },
    account: (name, secret) => server.account(name, secret),
    text: (user, password) => `rediss://${user}:${password}@${host}:${port}/0`,
    async logIn(url) {
      const client = createClient({ url, socket: { tls: true, ca } });
      client.on("error", () => undefined);
      await client.connect();
      // Nobody may read it without a log-in.
      await client.get("app:orders");
      client.destroy();
      return client.options.username;
    },
    stop: () => server.stop(),
  };
}

const cases: readonly Case[] = [
  {
    ...{ kind: pairAdmin, rotator: postgresql, as: "uri" },
    start: () => startPostgresqlServer({ uri: true, logIn: logInWithPg }),
  },
  {
    ...{ kind: pairAdmin, rotator: postgresql, as: "libpq" },
    start: () => startPostgresqlServer({ uri: false, logIn: logInWithPython("log in libpq") }),
  },
  { kind: overlapAdmin, rotator: mysql, as: "sqlalchemy", start: startMysqlServer },
  { kind: singleAdmin, rotator: mongodb, as: "uri", start: startMongodbServer },
  { kind: overlapAdmin, rotator: redis, as: "uri", start: startRedisServer },
];

const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

test.each(cases)(
  "A client logs in to a real $rotator.type with exactly the text that is published as $as",
  async ({ kind, rotator, as, start }) => {
    const server = await start();
    onTestFinished(async () => {
      await server.stop();
    });
    const world = await makeWorld(kind);
    const never = new AbortController().signal;
    const store = (name: string, text: string) =>
      world.vault.write(name, { value: new Secret(text), contentType: "", tags: {} }, never);
    for (const account of kind.accounts) await server.account(account, `f1rst-of-${account}`);
    const { account: username, secret } = server.admin;
    await store("app-admin", JSON.stringify({ username, password: secret.reveal() }));
    const [first = ""] = kind.accounts;
    await store("app-db", server.text(first, `f1rst-of-${first}`));
    const target: Target = {
      ...world.target,
      ...{ type: rotator.type, options: server.options },
      publish: { ...world.target.publish, as },
      policy: {
        ...world.target.policy,
        password: { length: 60, symbols: punctuation, exclude: "abcdefgh", startWithLetter: false },
      },
    };
    const ports: Ports = {
      ...world.ports(open),
      rotator: () => rotator,
      deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
    };
    const newest = () => world.vault.versions("app-db").at(-1)?.value.reveal() ?? "";
    await workOn(ports, target);
    const texts = [newest()];
    for (let round = 1; round <= kind.accounts.length; round++) {
      await requestRotation(ports, target, { reason: "operator", requestedBy: "test" });
      await workOn(ports, target);
      const expected = kind.accounts[round % kind.accounts.length];
      expect(await server.logIn(newest())).toBe(expected);
      texts.push(newest());
      world.advance(target.grace + 1);
      await workOn(ports, target);
    }
    expect(new Set(texts).size).toBe(1 + kind.accounts.length);
    expect(world.events.filter(({ type }) => type === "shape-differs")).toEqual([]);
  },
);
