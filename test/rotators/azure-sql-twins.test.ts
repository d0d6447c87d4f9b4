import { describe, expect, it } from "vitest";
import { azureSql } from "../../shared/rotators/azure-sql/azure-sql.ts";
import { type AzureSqlBench, database } from "../contract/rotators/azure-sql-bench.ts";
import type { TdsLogin, TdsUser } from "../doubles/tds/model.ts";
import { asAdmin, credential, first, patience, startBench } from "./azure-sql-steps.ts";

interface Has {
  readonly login?: Partial<TdsLogin>;
  readonly user?: Partial<TdsUser>;
}

function addAccount({ tds }: AzureSqlBench, name: string, { login, user }: Has = {}): void {
  tds.addLogin({ account: name, password: first, ...login });
  tds.addUser(database, { name, login: name, ...user });
}

async function warningsAbout(
  bench: AzureSqlBench,
  account: string,
  twin: string,
  using = asAdmin(bench),
  options = {},
) {
  const call = { options: bench.optionsWith(options), account, twin, using, isProven: true };
  const found = await azureSql.examine?.(call, patience());
  if (found === undefined || found === "rejected") throw new Error("no examination");
  return found.warnings ?? [];
}

const all: Has = {
  login: { roles: ["##MS_ServerStateReader##"], permissions: ["VIEW SERVER STATE"] },
  user: {
    roles: ["db_datareader"],
    permissions: ["VIEW DEFINITION"],
    grants: [{ permission: "SELECT", on: ["sales"] }],
  },
};

const differences: readonly (readonly [fact: string, has: Has, kind: "value" | "only"])[] = [
  [
    "server role ##MS_ServerStateReader##",
    { login: { roles: ["##MS_ServerStateReader##"] } },
    "only",
  ],
  ["default database", { login: { defaultDatabase: database } }, "value"],
  ["default language", { login: { defaultLanguage: "Deutsch" } }, "value"],
  ["database role db_datareader", { user: { roles: ["db_datareader"] } }, "only"],
  ["VIEW DEFINITION on the database", { user: { permissions: ["VIEW DEFINITION"] } }, "only"],
  [
    "SELECT on schema sales",
    { user: { grants: [{ permission: "SELECT", on: ["sales"] }] } },
    "only",
  ],
  [
    "UPDATE on sales.orders",
    { user: { grants: [{ permission: "UPDATE", on: ["sales", "orders"] }] } },
    "only",
  ],
  [
    "UPDATE on sales.orders.state",
    { user: { grants: [{ permission: "UPDATE", on: ["sales", "orders", "state"] }] } },
    "only",
  ],
  ["default schema", { user: { defaultSchema: "sales" } }, "value"],
  ["ownership of schema sales", { user: { owns: ["sales"] } }, "only"],
  ["ownership of role clerks", { user: { owns: ["clerks"] } }, "only"],
];

describe.each(["sql-server", "azure-sql-database"] as const)("a pair on %s", (edition) => {
  it("does not differ when both have the same", async () => {
    const bench = await startBench(edition);
    for (const name of ["one", "two"]) addAccount(bench, name, all);
    expect(await warningsAbout(bench, "one", "two")).toEqual([]);
  });

  it.each(differences)("differs in %s, whichever is next", async (fact, has, kind) => {
    const bench = await startBench(edition);
    bench.tds.addUser(database, { name: "clerks", type: "R" });
    addAccount(bench, "one", has);
    addAccount(bench, "two");
    const [mine, others] =
      kind === "value" ? ["it has other values of"] : ["only it has", "it lacks"];
    expect(await warningsAbout(bench, "one", "two")).toEqual([
      expect.stringContaining(`: ${mine} ${fact}. `),
    ]);
    expect(await warningsAbout(bench, "two", "one")).toEqual([
      expect.stringContaining(`: ${others ?? mine} ${fact}. `),
    ]);
  });

  it("is compared for contained users too", async () => {
    const bench = await startBench(edition);
    bench.tds.addUser(database, { name: "one", password: first, ...all.user });
    bench.tds.addUser(database, { name: "two", password: first });
    const [warning] = await warningsAbout(bench, "one", "two", asAdmin(bench), { contained: true });
    expect(warning).toContain(
      "only it has SELECT on schema sales, VIEW DEFINITION on the database",
    );
  });

  it("is not compared in the database without VIEW DEFINITION there, and the warning grants it", async () => {
    const bench = await startBench(edition);
    addAccount(bench, "one", all);
    addAccount(bench, "two", { login: all.login ?? {} });
    const me = bench.admin.account;
    const user = bench.tds.inspection.world.databases.get(database)?.users.get(me);
    if (user === undefined) throw new Error("the admin has no user");
    user.permissions.delete("VIEW DEFINITION");
    expect(await warningsAbout(bench, "one", "two")).toEqual([
      `The roles and permissions in the database of \`one\` and \`two\` were not compared, because \`${me}\` lacks VIEW DEFINITION in ` +
        `database \`${database}\`. Consumers may find other rights after a turn. Run there: GRANT VIEW DEFINITION TO [${me}].`,
    ]);
  });

  it("is not compared by an account that sees only itself, or with one that does not exist", async () => {
    const bench = await startBench(edition);
    addAccount(bench, "one", { user: { roles: ["db_datareader"] } });
    addAccount(bench, "two");
    bench.tds.addUser("master", { name: "one", login: "one" });
    const self = { as: "self", credential: credential("one", first) } as const;
    expect(await warningsAbout(bench, "one", "two", self)).toEqual([]);
    expect(await warningsAbout(bench, "one", "nobody")).toEqual([]);
  });
});

it("a permission on the server and a denial are differences on SQL Server", async () => {
  const bench = await startBench("sql-server");
  addAccount(bench, "one", { login: { permissions: ["VIEW SERVER STATE"] } });
  const denied = { permission: "SELECT", on: ["sales"], state: "D" } as const;
  addAccount(bench, "two", { user: { grants: [denied] } });
  const [warning] = await warningsAbout(bench, "one", "two");
  expect(warning).toContain("only it has VIEW SERVER STATE on the server");
  expect(warning).toContain("it lacks SELECT on schema sales");
});
