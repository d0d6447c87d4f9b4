import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { runInNewContext } from "node:vm";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ChangeRefusedError } from "../../../shared/core/errors.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { mongodb, type MongodbOptions } from "../../../shared/rotators/mongodb/mongodb.ts";
import type { Using } from "../../../shared/rotators/rotator.ts";
import { type ReplicaSet, startReplicaSet } from "../../servers/mongodb.ts";

const page = await readFile(
  join(resolve(import.meta.dirname, "../../.."), "docs/rotators/mongodb.md"),
  "utf8",
);
const [adminStatements = "", selfStatements = ""] = Array.from(
  page.matchAll(/^```js\n([\s\S]*?)^```$/gm),
  ([, code]) => code ?? "",
);

const patience = () => AbortSignal.timeout(20_000);
const secret = (text: string) => new Secret(`Aa1-${text}-0f-the-account`);
const app: Credential = { account: "app", secret: secret("first") };
const keyturn: Credential = { account: "keyturn_admin", secret: secret("admin") };
const byAdmin: Using = { as: "admin", credential: keyturn };

let set: ReplicaSet;
let root: MongoClient;
let options: MongodbOptions;

beforeAll(async () => {
  set = await startReplicaSet({ members: 1 });
  const { account, secret: password } = set.admin;
  root = new MongoClient(`mongodb://${set.hosts.join(",")}/`, {
    ...{ tls: true, ca: set.ca, replicaSet: set.name },
    auth: { username: account, password: password.reveal() },
  });
  options = mongodb.options.parse({
    ...{ hosts: set.hosts, replicaSet: set.name, tls: { caFile: set.caFile } },
  });
});
afterAll(async () => {
  await root.close();
  await set.stop();
});

/** Runs statements of mongosh as they are written, one after another. */
async function paste(statements: string): Promise<void> {
  const commands: { database: string; command: object }[] = [];
  const databaseOf = (database: string) => ({
    getSiblingDB: databaseOf,
    createRole: ({ role, ...rest }: { role: string }) =>
      commands.push({ database, command: { createRole: role, ...rest } }),
    createUser: ({ user, ...rest }: { user: string }) =>
      commands.push({ database, command: { createUser: user, ...rest } }),
    grantRolesToUser: (user: string, roles: unknown) =>
      commands.push({ database, command: { grantRolesToUser: user, roles } }),
  });
  const passwordPrompt = () => keyturn.secret.reveal();
  runInNewContext(statements, { db: databaseOf("test"), passwordPrompt });
  for (const { database, command } of commands) {
    await root.db(database).command({ ...command, writeConcern: { w: "majority" } });
  }
}

const createApp = ({ account, secret: password }: Credential) =>
  root.db("admin").command({ createUser: account, pwd: password.reveal(), roles: [] });

test("an admin with the rights of the page rotates, proves and retires an account", async () => {
  await createApp(app);
  await paste(adminStatements);
  const look = { options, account: app.account, using: byAdmin };
  expect(await mongodb.examine?.({ ...look, isProven: false }, patience())).toEqual({
    obstacles: [],
    right: { is: "proven" },
  });
  const next = { ...app, secret: secret("second") };
  await mongodb.apply({ options, next, using: byAdmin }, patience());
  expect(await mongodb.verify({ options, credential: next }, patience())).toBe("accepted");
  expect(await mongodb.hasSessions?.(look, patience())).toBe(false);
  await mongodb.retire?.(look, patience());
  expect(await mongodb.verify({ options, credential: next }, patience())).toBe("rejected");
});

test.each(["inprog", "replSetGetStatus"])(
  "without %s, an admin rotates and cannot see who is logged in",
  async (action) => {
    const account: Credential = { account: `app_without_${action}`, secret: secret("first") };
    await createApp(account);
    const revoked = { resource: { cluster: true }, actions: [action] };
    const change = (verb: string) =>
      root.db("admin").command({ [verb]: "keyturnRotator", privileges: [revoked] });
    await change("revokePrivilegesFromRole");
    const look = { options, account: account.account, using: byAdmin };
    const next = { ...account, secret: secret("second") };
    await mongodb.apply({ options, next, using: byAdmin }, patience());
    const seen = Promise.resolve(mongodb.hasSessions?.(look, patience()));
    await expect(seen).rejects.toBeInstanceOf(ChangeRefusedError);
    await expect(seen).rejects.toThrow(action);
    await change("grantPrivilegesToRole");
    expect(await mongodb.hasSessions?.(look, patience())).toBe(false);
  },
);

test("an account with the right of the page changes itself", async () => {
  await root.db("admin").command({ updateUser: app.account, pwd: app.secret.reveal() });
  const using: Using = { as: "self", credential: app };
  const look = { options, account: app.account, using, isProven: true };
  expect(await mongodb.examine?.(look, patience())).toMatchObject({ right: { is: "missing" } });
  await paste(selfStatements);
  expect(await mongodb.examine?.(look, patience())).toMatchObject({ right: { is: "proven" } });
  const next = { ...app, secret: secret("third") };
  await mongodb.apply({ options, next, using }, patience());
  expect(await mongodb.verify({ options, credential: next }, patience())).toBe("accepted");
  expect(await mongodb.verify({ options, credential: app }, patience())).toBe("rejected");
});
