import { type Document, MongoClient } from "mongodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type MongoDouble, startMongoDouble } from "./mongodb/server.ts";

const watcher = {
  user: "watcher",
  password: "W4tches~all",
  roles: [{ role: "clusterMonitor", db: "admin" }],
};
const app = { user: "app", password: "first-Secret1", db: "shop" };

let double: MongoDouble;
const clients: MongoClient[] = [];

beforeEach(async () => {
  double = await startMongoDouble({ iterations: 4096, users: [watcher, app] });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await double.close();
});

async function logIn({
  user,
  password,
  db = "admin",
}: {
  user: string;
  password: string;
  db?: string;
}) {
  const client = new MongoClient(double.url, {
    auth: { username: user, password },
    authSource: db,
    directConnection: true,
    maxPoolSize: 1,
  });
  clients.push(client);
  return client.connect();
}

/** Reads the connections of `app` with the official client. */
function connectionsOfApp(client: MongoClient, options: Document, db = "admin") {
  return client
    .db(db)
    .aggregate([
      { $currentOp: options },
      {
        $match: {
          effectiveUsers: { $elemMatch: { user: { $eq: "app" }, db: { $eq: "shop" } } },
        },
      },
      { $limit: 10 },
    ])
    .toArray();
}

const all = { allUsers: true, idleConnections: true };

test("idle connections are listed on request, with the account that logged in", async () => {
  const asking = await logIn(watcher);
  expect(await connectionsOfApp(asking, all)).toEqual([]);
  await logIn(app);
  await logIn(app);
  const users = [{ user: "app", db: "shop" }];
  expect(await connectionsOfApp(asking, all)).toMatchObject([
    { active: false, effectiveUsers: users },
    { active: false, effectiveUsers: users },
  ]);
  expect(await connectionsOfApp(asking, { allUsers: true })).toEqual([]);
});

test("connections of others are shown only to an account with the privilege", async () => {
  const client = await logIn(app);
  await expect(connectionsOfApp(client, all)).rejects.toMatchObject({ code: 13 });
  expect(await connectionsOfApp(client, { idleConnections: true })).toHaveLength(1);
});

test("the query works only on the database admin", async () => {
  const asking = await logIn(watcher);
  await expect(connectionsOfApp(asking, all, "shop")).rejects.toMatchObject({ code: 73 });
});
