import { beforeAll, describe, expect, it } from "vitest";
import { asAdmin, mysqlBench, self } from "./mysql-bench.ts";
import { mysqlSystems, tableOfAccounts } from "./mysql-target.ts";

type Case = readonly [statement: string, fact: string, kind: "only" | "value"];

const everywhere: readonly Case[] = [
  ["GRANT SELECT, INSERT ON app.* TO %1", "grants on `app`.*", "only"],
  ["GRANT SELECT (id), UPDATE (`a ON b`) ON app.shared TO %1", "grants on `app`.`shared`", "only"],
  ["GRANT RELOAD ON *.* TO %1", "grants on *.*", "only"],
  [
    "GRANT EXECUTE ON PROCEDURE app.shared_work TO %1",
    "grants on PROCEDURE `app`.`shared_work`",
    "only",
  ],
  ["GRANT app_rights TO %1", "role `app_rights`", "only"],
  ["ALTER USER %1 WITH MAX_QUERIES_PER_HOUR 5", "MAX_QUERIES_PER_HOUR", "value"],
  ["ALTER USER %1 WITH MAX_USER_CONNECTIONS 5", "MAX_USER_CONNECTIONS", "value"],
  ["ALTER USER %1 REQUIRE SSL", "REQUIRE", "value"],
  ["ALTER USER %1 REQUIRE SUBJECT '/CN=app'", "REQUIRE", "value"],
];
const onMysql: Case = ["GRANT PROXY ON CURRENT_USER() TO %1", "grants on `", "only"];
const onMariadb: Case = ["ALTER USER %1 WITH MAX_STATEMENT_TIME 5", "MAX_STATEMENT_TIME", "value"];
const quoted = (account: string, host = "%") => `'${account}'@'${host}'`;

describe.each(mysqlSystems)("the accounts of a pair on %s", (system) => {
  const bench = mysqlBench(system);
  const newPair = async () => {
    const [one, two] = [await bench.newAccount(), await bench.newAccount()];
    return [one.account, two.account] as const;
  };
  const warningsAbout = async (account: string, twin: string, more = {}) =>
    (await bench.examine(account, bench.admin(), { isProven: true, twin, ...more })).warnings ?? [];

  beforeAll(async () => {
    const setUp = [
      "CREATE DATABASE app",
      "CREATE TABLE app.shared (id int, `a ON b` int)",
      "CREATE PROCEDURE app.shared_work() SELECT 1",
      "CREATE ROLE app_rights",
      `GRANT SELECT ON mysql.* TO ${quoted(bench.target.admin.account)}`,
    ];
    for (const statement of setUp) await bench.sql(statement);
  });

  it("do not differ when they have the same", async () => {
    const [one, two] = await newPair();
    for (const account of [one, two].map((name) => quoted(name))) {
      await bench.sql(`GRANT SELECT, INSERT ON app.* TO ${account} WITH GRANT OPTION`);
      await bench.sql(`GRANT app_rights TO ${account}`);
      await bench.sql(
        system === "mysql"
          ? `SET DEFAULT ROLE app_rights TO ${account}`
          : `SET DEFAULT ROLE app_rights FOR ${account}`,
      );
      await bench.sql(`ALTER USER ${account} REQUIRE SSL WITH MAX_USER_CONNECTIONS 9`);
    }
    expect(await warningsAbout(one, two)).toEqual([]);
    expect(await warningsAbout(two, one)).toEqual([]);
  });

  it.each([...everywhere, system === "mysql" ? onMysql : onMariadb])(
    "differ after %s, whichever of them is next",
    async (statement, fact, kind) => {
      const [one, two] = await newPair();
      await bench.sql(statement.replace("%1", quoted(one)));
      const [mine, ...more] = await warningsAbout(one, two);
      const [others] = await warningsAbout(two, one);
      const isValue = kind === "value";
      expect(mine).toContain(`${isValue ? "it has other values of" : "only it has"} ${fact}`);
      expect(others).toContain(`${isValue ? "it has other values of" : "it lacks"} ${fact}`);
      expect(mine).toContain(`\`${one}\` differs from \`${two}\``);
      expect(mine).not.toMatch(/\band\b|;/);
      expect(more).toEqual([]);
    },
  );

  it("differ when only one has a default role", async () => {
    const [one, two] = await newPair();
    await bench.sql(`GRANT app_rights TO ${quoted(one)}`);
    await bench.sql(`GRANT app_rights TO ${quoted(two)}`);
    const word = system === "mysql" ? "TO" : "FOR";
    await bench.sql(`SET DEFAULT ROLE app_rights ${word} ${quoted(two)}`);
    const [warning] = await warningsAbout(one, two);
    expect(warning).toContain("DEFAULT ROLE");
    expect(warning).not.toContain("role `app_rights`");
  });

  it("differ when one may grant what both may do", async () => {
    const [one, two] = await newPair();
    await bench.sql(`GRANT SELECT ON app.* TO ${quoted(one)}`);
    await bench.sql(`GRANT SELECT ON app.* TO ${quoted(two)} WITH GRANT OPTION`);
    expect(await warningsAbout(one, two)).toEqual([
      expect.stringContaining("it has other values of grants on `app`.*"),
    ]);
  });

  it.each(system === "mysql" ? ["partial_revokes"] : [])("differ when one has %s", async (name) => {
    const [one, two] = await newPair();
    await bench.sql(`SET GLOBAL ${name} = ON`);
    for (const each of [one, two]) await bench.sql(`GRANT SELECT ON *.* TO ${quoted(each)}`);
    await bench.sql(`REVOKE SELECT ON app.* FROM ${quoted(two)}`);
    expect(await warningsAbout(one, two)).toEqual([
      expect.stringContaining(": it lacks partial revokes on `app`.*. "),
    ]);
  });

  it("are compared host by host, at the hosts of the options", async () => {
    const [one, two] = await newPair();
    for (const host of ["10.1.%", "10.2.%"]) {
      await bench.sql(`CREATE USER ${quoted(two, host)} IDENTIFIED BY ?`, ["Aa1-first-of-two"]);
    }
    await bench.sql(`CREATE USER ${quoted(one, "10.1.%")} IDENTIFIED BY ?`, ["Aa1-first-of-one"]);
    await bench.sql(`GRANT SELECT ON app.* TO ${quoted(one, "10.1.%")}`);
    const [warning] = await warningsAbout(one, two);
    expect(warning).toContain("it lacks host 10.2.%;");
    expect(warning).toContain("only it has grants on `app`.* at host 10.1.%.");
    const options = bench.optionsWith({ hosts: ["%"] });
    expect(await warningsAbout(one, two, { options })).toEqual([]);
  });

  it.each(["it`s", "a@b", "back\\", "quote'd", "a TO b"])(
    "are found under the name %j, and show no stored password",
    async (name) => {
      const { account: one } = await bench.newAccount(`${name}1`);
      const { account: two } = await bench.newAccount(`${name}2`);
      await bench.sql("GRANT SELECT ON app.* TO ?@'%'", [two]);
      const [warning] = await warningsAbout(one, two);
      expect(warning).toContain("it lacks grants on `app`.*. Give");
      expect(warning).not.toMatch(/identified|\*[0-9A-F]{8}/i);
    },
  );

  it("are compared as far as the authority may read, and each missing right is named with its statement", async () => {
    const [one, two] = await newPair();
    await bench.sql(`GRANT SELECT ON app.* TO ${quoted(one)}`);
    await bench.sql(`ALTER USER ${quoted(one)} WITH MAX_USER_CONNECTIONS 5`);
    const limited = await bench.newAccount();
    const me = quoted(limited.account);
    await bench.sql(`GRANT CREATE USER ON *.* TO ${me}`);
    const byLimited = async () =>
      (await bench.examine(one, asAdmin(limited), { twin: two })).warnings ?? [];
    const unread = (what: string, table: string) =>
      `The ${what} of \`${one}\` and \`${two}\` were not compared, because \`${limited.account}\` lacks SELECT on ${table}. ` +
      `Consumers may find other rights after a turn. Run: GRANT SELECT ON ${table} TO ${me}.`;
    const differ = (what: string) =>
      `Account \`${one}\` differs from \`${two}\`, so consumers may find other rights after a turn: ${what}. ` +
      "Give both the same, best by membership in one role that has all the rights.";
    const settings = "it has other values of MAX_USER_CONNECTIONS";
    const everything = differ(`only it has grants on \`app\`.*; ${settings}`);
    const expected =
      system === "mysql"
        ? [
            [
              unread("settings, grants and roles", "mysql.user"),
              unread("default roles", "mysql.default_roles"),
            ],
            [everything, unread("default roles", "mysql.default_roles")],
            [everything],
          ]
        : [
            [unread("settings", "mysql.global_priv"), unread("grants and roles", "mysql.*")],
            [differ(settings), unread("grants and roles", "mysql.*")],
            [everything],
          ];
    expect(await byLimited()).toEqual(expected[0]);
    await bench.sql(`GRANT SELECT ON mysql.${tableOfAccounts(system)} TO ${me}`);
    expect(await byLimited()).toEqual(expected[1]);
    const last = system === "mysql" ? "default_roles" : "*";
    await bench.sql(`GRANT SELECT ON mysql.${last} TO ${me}`);
    expect(await byLimited()).toEqual(expected[2]);
  });

  it("are not compared by an account that changes itself, or with one that does not exist", async () => {
    const me = await bench.newAccount();
    const [, twin] = await newPair();
    await bench.sql(`GRANT SELECT ON app.* TO ${quoted(twin)}`);
    const examined = await bench.examine(me.account, self(me), { twin });
    expect(examined.warnings).toBeUndefined();
    expect(await warningsAbout(me.account, "nobody_here")).toEqual([]);
  });
});
