import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ChangeRefusedError, TargetUnavailableError } from "../../shared/core/errors.ts";
import { maxDatabases, searchDatabases } from "../../shared/rotators/azure-sql/azure-sql-search.ts";
import type { AzureSqlBench } from "../contract/rotators/azure-sql-bench.ts";
import { failure, first, isInUse, startBench } from "./azure-sql-steps.ts";

const nameOf = (index: number) => `tenant${index}`;

/** A server of Azure SQL Database with so many databases besides `shop`, in all of which the admin sees the sessions. */
async function startMany(count: number, login = "app"): Promise<AzureSqlBench> {
  const bench = await startBench("azure-sql-database", {
    logins: [],
    databases: [
      { name: "shop" },
      ...Array.from({ length: count }, (_, index) => ({ name: nameOf(index) })),
    ],
    masterUsers: [],
  });
  const { account, secret } = bench.admin;
  bench.tds.addLogin({ account, password: secret.reveal(), roles: ["##MS_LoginManager##"] });
  const permissions = ["VIEW DATABASE STATE", "VIEW DEFINITION"];
  for (const { name } of bench.tds.inspection.world.databases.values()) {
    bench.tds.addUser(name, { name: account, login: account, permissions });
  }
  bench.login(login, first);
  return bench;
}

/** A client in one of the databases. The double has no client for another database than `shop`. */
function addSession(bench: AzureSqlBench, database: string, account: string): void {
  const { world } = bench.tds.inspection;
  const where = world.databases.get(database);
  if (!where) throw new Error(`no database ${database}`);
  world.sessions.add({ id: 9_000, account, login: undefined, user: undefined, database: where });
}

describe("a check for sessions in 60 databases", () => {
  it("takes many at the same time, but opens only a few connections", async () => {
    const bench = await startMany(60);
    bench.tds.faults.on("login", { do: "delay", ms: 100, times: Infinity });
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, bench.tds.inspection.connections.open);
    }, 5);
    // One after the other, the log-ins alone would take six seconds.
    const looked = isInUse(bench, "app", {}, AbortSignal.timeout(4_000));
    expect(await looked).toBe(false);
    clearInterval(watch);
    // Those of the check, and the two at shop and at master.
    expect(most).toBeLessThanOrEqual(10);
    expect(bench.tds.inspection.connections.total).toBe(62);
  });

  it.each([0, 31, 59])("finds a session in database %i", async (index) => {
    const bench = await startMany(60);
    addSession(bench, nameOf(index), "app");
    expect(await isInUse(bench, "app")).toBe(true);
  });

  it("finds a session although another database gives no answer", async () => {
    const bench = await startMany(60);
    bench.tds.setDatabase(nameOf(3), "silent");
    addSession(bench, nameOf(50), "app");
    expect(await isInUse(bench, "app")).toBe(true);
  });

  it("does not take a database without an answer for one without sessions", async () => {
    const bench = await startMany(60);
    bench.tds.setDatabase(nameOf(3), "silent");
    const error = await failure(isInUse(bench, "app", {}, AbortSignal.timeout(2_500)));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("59 of 60 other databases answered within the time limit");
    expect(error.message).toContain("these did not: `tenant3`");
    expect(error.message).toContain("retire: grace");
  });

  it("leaves out a database that is being copied, which nobody can enter", async () => {
    const bench = await startMany(3);
    bench.tds.setDatabase(nameOf(1), "copying");
    expect(await isInUse(bench, "app")).toBe(false);
  });

  it("says how many databases it has not reached in time", async () => {
    const bench = await startMany(60);
    bench.tds.faults.on("login", { do: "delay", ms: 300, times: Infinity });
    const error = await failure(isInUse(bench, "app", {}, AbortSignal.timeout(1_500)));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toMatch(/: \d+ of 60 other databases answered within the time limit/);
  });

  it.each([
    ["unavailable", TargetUnavailableError, "error 40613"],
    ["closed to the authority", ChangeRefusedError, "cannot open database `tenant59`"],
  ] as const)("is no answer if one is %s", async (what, kind, words) => {
    const bench = await startMany(60);
    if (what === "unavailable") bench.tds.setDatabase(nameOf(59), "unavailable");
    else bench.tds.inspection.world.databases.get(nameOf(59))?.users.clear();
    const error = await failure(isInUse(bench, "app"));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(words);
  });
});

it("A server with too many databases is not searched, and the message says what to do", async () => {
  const names = Array.from({ length: maxDatabases + 1 }, (_, index) => nameOf(index));
  let checks = 0;
  const check = () => {
    checks += 1;
    return Promise.resolve(false);
  };
  const signal = AbortSignal.timeout(5_000);
  const error = await failure(searchDatabases(names, { where: "here", check }, signal));
  expect(error).toBeInstanceOf(ChangeRefusedError);
  expect(error.message).toContain("has 201 other databases, and Keyturn checks at most 200");
  expect(error.message).toContain("retire: grace");
  expect(checks).toBe(0);
  expect(await searchDatabases(names.slice(1), { where: "here", check }, signal)).toBe(false);
  expect(checks).toBe(maxDatabases);
});

it("A session that is found ends the other checks before the answer", async () => {
  let running = 0;
  const check = async (name: string, signal: AbortSignal) => {
    if (name === nameOf(1)) return true;
    running += 1;
    try {
      await wait(60_000, undefined, { signal });
      return false;
    } finally {
      running -= 1;
    }
  };
  const names = Array.from({ length: 20 }, (_, index) => nameOf(index));
  const signal = AbortSignal.timeout(5_000);
  expect(await searchDatabases(names, { where: "here", check }, signal)).toBe(true);
  expect(running).toBe(0);
});
