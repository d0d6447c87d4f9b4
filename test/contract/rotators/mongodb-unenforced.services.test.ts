import { afterAll, beforeAll, expect, test } from "vitest";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { mongodb, type MongodbOptions } from "../../../shared/rotators/mongodb/mongodb.ts";
import type { Using } from "../../../shared/rotators/rotator.ts";
import { type ReplicaSet, startReplicaSet } from "../../servers/mongodb.ts";
import { withClient } from "../../servers/process/mongod.ts";

const patience = () => AbortSignal.timeout(20_000);
const app: Credential = { account: "app", secret: new Secret("Aa1-first-0f-the-account") };
const twin: Credential = { account: "twin", secret: new Secret("Aa1-first-0f-the-twin") };

let set: ReplicaSet;
let options: MongodbOptions;

beforeAll(async () => {
  // The server checks passwords, and lets everybody do everything.
  set = await startReplicaSet({ members: 1, flags: ["--transitionToAuth"] });
  options = mongodb.options.parse({
    ...{ hosts: set.hosts, replicaSet: set.name, tls: { caFile: set.caFile } },
  });
  for (const { account, secret } of [app, twin]) {
    const createUser = { createUser: account, pwd: secret.reveal(), roles: [] };
    const create = await set.primary();
    await withClient(create, (client) => client.db("admin").command(createUser), set.admin);
  }
});
afterAll(async () => {
  await set.stop();
});

test("No right is missing on a server that does not enforce rights", async () => {
  const using: Using = { as: "self", credential: app };
  const call = { options, using, account: app.account, isProven: true };
  for (const more of [{}, { twin: twin.account }]) {
    expect(await mongodb.examine?.({ ...call, ...more }, patience())).toEqual({
      obstacles: [],
      right: { is: "likely" },
    });
  }
  const next = { ...app, secret: new Secret("Aa1-second-0f-the-account") };
  await mongodb.apply({ options, using, next }, patience());
  expect(await mongodb.verify({ options, credential: next }, patience())).toBe("accepted");
  expect(await mongodb.verify({ options, credential: app }, patience())).toBe("rejected");
});
