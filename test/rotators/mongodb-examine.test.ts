import { afterEach, describe, expect, it } from "vitest";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";
import type { Examination, Using } from "../../shared/rotators/rotator.ts";
import {
  admin,
  home,
  type MongodbBench,
  powerless,
  startMongodbBench,
} from "../contract/rotators/mongodb-bench.ts";
import type { MongoDoubleOptions, MongoUser } from "../doubles/mongodb/server.ts";

const app: Credential = { account: "app", secret: new Secret("F1rst~secret-of-app") };
const byAdmin: Using = { as: "admin", credential: admin };
const bySelf: Using = { as: "self", credential: app };
const healthy: Examination = { obstacles: [], right: { is: "proven" } };

const open: MongodbBench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) {
    await expect.poll(() => bench.double.inspection.connections.open).toBe(0);
    await bench.close();
  }
});

async function start(
  account: Partial<MongoUser> = {},
  server: MongoDoubleOptions = {},
): Promise<MongodbBench> {
  const bench = await startMongodbBench(server);
  open.push(bench);
  await bench.addAccount(app.account, app.secret.reveal(), account);
  return bench;
}

async function examine(
  bench: MongodbBench,
  using: Using = byAdmin,
  isProven = false,
): Promise<Examination> {
  const call = { options: bench.optionsWith(), account: "app", using, isProven };
  const answer = await mongodb.examine?.(call, AbortSignal.timeout(20_000));
  if (answer === undefined || answer === "rejected") throw new Error("not examined");
  return answer;
}

const verify = (bench: MongodbBench) =>
  mongodb.verify({ options: bench.optionsWith(), credential: app }, AbortSignal.timeout(20_000));

describe("the addresses from which a MongoDB account may log in", () => {
  const here = "127.0.0.0/8";
  const elsewhere = "10.0.0.0/8";
  it.each([
    ["no restriction", []],
    ["our address", [{ clientSource: ["127.0.0.1"] }]],
    ["one of several restrictions", [{ clientSource: [elsewhere] }, { clientSource: [here] }]],
    ["one of several addresses", [{ clientSource: [elsewhere, here, "fd00::/8"] }]],
    ["the address of the server", [{ serverAddress: [here] }]],
    ["our address beside one of IPv6", [{ clientSource: ["::1", "127.0.0.1/32"] }]],
  ])("are no obstacle when they are met by %s", async (_, restrictions) => {
    const bench = await start({ restrictions });
    expect(await examine(bench)).toEqual(healthy);
    expect(await verify(bench)).toBe("accepted");
  });

  it.each([
    ["another address", [{ clientSource: [elsewhere] }], "clients at 10.0.0.0/8"],
    ["several others", [{ clientSource: [elsewhere] }, { clientSource: ["fd00::/8"] }], "fd00::/8"],
    ["another address of the server", [{ serverAddress: ["10.0.0.1"] }], "address 10.0.0.1"],
    ["only half of one", [{ clientSource: [here], serverAddress: ["10.0.0.1"] }], "10.0.0.1"],
  ])("are an obstacle when they are %s", async (_, restrictions, part) => {
    const bench = await start({ restrictions });
    const { obstacles, right } = await examine(bench);
    expect(obstacles).toEqual([expect.stringContaining("cannot log in from 127.0.0.1")]);
    expect(obstacles[0]).toContain("`app`");
    expect(obstacles[0]).toContain(part);
    expect(right).toEqual({ is: "proven" });
    // The server itself does not distinguish this from a wrong password.
    expect(await verify(bench)).toBe("rejected");
  });

  it("do not block the account when the server does not show them", async () => {
    const restrictions = [{ clientSource: [elsewhere] }];
    const bench = await start({ restrictions }, { lacks: ["restrictions", "mechanisms"] });
    expect(await examine(bench)).toEqual(healthy);
  });

  it("are not checked for an account that has just logged in", async () => {
    const bench = await start({ restrictions: [{ clientSource: [elsewhere] }] });
    expect(await examine(bench, byAdmin, true)).toEqual(healthy);
    expect(bench.double.inspection.performed("usersInfo")).toBe(0);
  });
});

it("an account whose mechanisms the server has switched off cannot log in", async () => {
  const bench = await start({ mechanisms: ["SCRAM-SHA-1"] }, { enabled: ["SCRAM-SHA-256"] });
  const { obstacles } = await examine(bench);
  expect(obstacles).toEqual([expect.stringContaining("SCRAM-SHA-1 switched off")]);
});

it("a secondary cannot change a password", async () => {
  const bench = await start({}, { secondary: true });
  await expect(examine(bench)).rejects.toBeInstanceOf(TargetUnavailableError);
  await expect(examine(bench)).rejects.toThrow("not the primary");
});

describe("the right to change a MongoDB account", () => {
  const withRoles = (...roles: { role: string; db: string }[]) =>
    start({}, { users: [{ user: "limited", password: "L1mited~rights", roles }] });
  const byLimited: Using = {
    as: "admin",
    credential: { account: "limited", secret: new Secret("L1mited~rights") },
  };

  it.each([
    { role: "changePassword", db: home },
    { role: "userAdmin", db: home },
    { role: "userAdminAnyDatabase", db: "admin" },
    { role: "root", db: "admin" },
  ])("comes with $role on $db", async (role) => {
    expect((await examine(await withRoles(role), byLimited)).right).toEqual({ is: "proven" });
  });

  it.each([
    { role: "userAdmin", db: "elsewhere" },
    { role: "clusterMonitor", db: "admin" },
    { role: "changeOwnPassword", db: home },
  ])("does not come with $role on $db", async (role) => {
    const { right } = await examine(await withRoles(role), byLimited);
    const why = right.is === "missing" ? right.why : right.is;
    expect(why).toContain("Account `app` in authentication database `orders` cannot be changed");
    expect(why).toContain("`limited` lacks changePassword");
    expect(why).toContain('grantRolesToUser("limited"');
  });

  it("belongs to the account itself only with changeOwnPassword", async () => {
    expect(await examine(await start(), bySelf)).toEqual(healthy);
    const { right } = await examine(await start({ changeOwnPassword: false }), bySelf);
    const why = right.is === "missing" ? right.why : right.is;
    expect(why).toContain("`app` lacks changeOwnPassword");
    expect(why).toContain('db.getSiblingDB("orders").grantRolesToUser("app"');
  });

  it("is likely when the server does not show privileges", async () => {
    const bench = await start({}, { lacks: ["privileges"] });
    const byPowerless: Using = { as: "admin", credential: powerless };
    expect((await examine(bench, byPowerless)).right).toEqual({ is: "likely" });
    expect((await examine(bench, byAdmin)).right).toEqual({ is: "likely" });
  });
});

it("a temporary refusal leaves the account unexamined", async () => {
  const bench = await start();
  bench.double.faults.on("usersInfo", {
    do: "refuse",
    with: { code: 11_600, codeName: "InterruptedAtShutdown", message: "shutting down" },
  });
  await expect(examine(bench)).rejects.toBeInstanceOf(TargetUnavailableError);
});
