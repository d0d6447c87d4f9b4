import { randomBytes } from "node:crypto";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { mongodb, type MongodbOptions } from "../../../shared/rotators/mongodb/mongodb.ts";
import type { Using } from "../../../shared/rotators/rotator.ts";
import { useMongodb } from "../../servers/mongodb.ts";
import type { TestServer } from "../../servers/server.ts";

const home = `pairs_${randomBytes(4).toString("hex")}`;
const secret = new Secret("Aa1-of-every-account");
let server: TestServer;
let root: MongoClient;
let options: MongodbOptions;
let number = 0;

const run = (command: object) => root.db(home).command(command);
const newUser = async (more: object = {}) => {
  number += 1;
  const user = `app_${number}`;
  await run({ createUser: user, pwd: secret.reveal(), roles: [], ...more });
  return user;
};
const byAdmin = (): Using => ({ as: "admin", credential: server.admin });
const by = (account: string): Using => ({ as: "admin", credential: { account, secret } });

async function warningsAbout(account: string, twin: string, using = byAdmin(), isProven = true) {
  const call = { options, account, twin, using, isProven };
  const examined = await mongodb.examine?.(call, AbortSignal.timeout(20_000));
  if (examined === undefined || examined === "rejected") throw new Error("not examined");
  return examined.warnings ?? [];
}

const here = [{ clientSource: ["127.0.0.1", "10.0.0.0/8"] }];
const itemsRole = { role: "itemsReader", db: home };

beforeAll(async () => {
  server = await useMongodb();
  const { account, secret: password } = server.admin;
  root = new MongoClient(`mongodb://${server.host}:${server.port}/`, {
    ...{ tls: true, ca: server.ca, directConnection: true },
    auth: { username: account, password: password.reveal() },
  });
  const { host, port, caFile } = server;
  options = mongodb.options.parse({ host, port, authDatabase: home, tls: { caFile } });
  const resource = { db: home, collection: "items" };
  await run({
    createRole: itemsRole.role,
    privileges: [{ resource, actions: ["find"] }],
    roles: [],
    authenticationRestrictions: here,
  });
});
afterAll(async () => {
  await run({ dropAllUsersFromDatabase: 1 });
  await run({ dropAllRolesFromDatabase: 1 });
  await root.close();
  await server.stop();
});

describe("the accounts of a MongoDB pair", () => {
  it("do not differ when they have the same, in another order", async () => {
    const roles = ["read", "dbAdmin", itemsRole];
    const more = { authenticationRestrictions: here, mechanisms: ["SCRAM-SHA-256"] };
    const one = await newUser({ ...more, roles });
    const two = await newUser({ ...more, roles: roles.toReversed() });
    expect(await warningsAbout(one, two)).toEqual([]);
    expect(await warningsAbout(two, one, byAdmin(), false)).toEqual([]);
  });

  it.each([
    [
      "roles",
      { roles: ["readWrite"] },
      `only it has role readWrite of ${home}; it has other values of privileges of its roles. `,
      `it lacks role readWrite of ${home}; it has other values of privileges of its roles. `,
    ],
    [
      "roles with restrictions",
      { roles: [itemsRole] },
      "other values of authenticationRestrictions of its roles, privileges of its roles. ",
      "other values of authenticationRestrictions of its roles, privileges of its roles. ",
    ],
    [
      "addresses",
      { authenticationRestrictions: here },
      ": it has other values of authenticationRestrictions. ",
      ": it has other values of authenticationRestrictions. ",
    ],
    [
      "mechanisms",
      { mechanisms: ["SCRAM-SHA-256"] },
      ": it lacks mechanism SCRAM-SHA-1. ",
      ": only it has mechanism SCRAM-SHA-1. ",
    ],
  ])("differ when they have other %s, whichever of them is next", async (_, more, mine, others) => {
    const [one, two] = [await newUser(more), await newUser()];
    const [ofOne, ofTwo] = [await warningsAbout(one, two), await warningsAbout(two, one)];
    expect(ofOne).toEqual([expect.stringContaining(mine)]);
    expect(ofOne[0]).toContain(`\`${one}\` differs from \`${two}\``);
    expect(ofTwo).toEqual([expect.stringContaining(others)]);
    expect(await warningsAbout(one, two, byAdmin(), false)).toEqual(ofOne);
  });

  it("are not compared without viewUser, which the warning grants, or with one that does not exist", async () => {
    const [one, two] = [await newUser({ roles: ["read"] }), await newUser()];
    const resource = { db: home, collection: "" };
    const privileges = [{ resource, actions: ["changePassword"] }];
    await run({ createRole: "changer", privileges, roles: [] });
    const changer = await newUser({ roles: ["changer"] });
    const inHome = mongodb.options.parse({ ...options, adminAuthDatabase: home });
    const call = { options: inHome, account: one, twin: two, isProven: false };
    const examine = (using: Using) =>
      mongodb.examine?.({ ...call, using }, AbortSignal.timeout(20_000));
    const unseen = await examine(by(changer));
    expect(unseen).toMatchObject({ obstacles: [], right: { is: "proven" } });
    const [warning = "", ...more] = (unseen === "rejected" ? [] : unseen?.warnings) ?? [];
    expect(more).toEqual([]);
    expect(warning).toContain(
      `The roles, restrictions and mechanisms of \`${one}\` and \`${two}\` were not compared, because \`${changer}\` lacks viewUser ` +
        `in authentication database \`${home}\`. Consumers may find other rights after a turn. Run: db.getSiblingDB("admin").createRole(`,
    );
    const [, role = "", grantee = ""] =
      /createRole\((.+)\); .*grantRolesToUser\((.+)\)\.$/.exec(warning) ?? [];
    const [user, roles] = JSON.parse(`[${grantee}]`) as [string, object[]];
    const { role: name, ...definition } = JSON.parse(role) as { role: string };
    await root.db("admin").command({ createRole: name, ...definition });
    try {
      await run({ grantRolesToUser: user, roles });
      expect(await examine(by(changer))).toMatchObject({
        warnings: [expect.stringContaining(`only it has role read of ${home}`)],
      });
    } finally {
      await root.db("admin").command({ dropRole: name });
    }
    const me: Credential = { account: one, secret };
    const own = await examine({ as: "self", credential: me });
    expect(own).toMatchObject({ obstacles: [] });
    expect(own).not.toHaveProperty("warnings");
    expect(await warningsAbout(one, "nobody_here")).toEqual([]);
  });
});
