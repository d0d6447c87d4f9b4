import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { azureSql } from "../../shared/rotators/azure-sql/azure-sql.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import { type AzureSqlBench, startAzureSqlBench } from "../contract/rotators/azure-sql-bench.ts";
import { toKey } from "../doubles/tds/model.ts";
import type { TdsEdition } from "../doubles/tds/server.ts";
import { runBatch } from "../doubles/tds/tsql/run.ts";

const page = await readFile(join(import.meta.dirname, "../../docs/rotators/azure-sql.md"), "utf8");

/** The blocks of statements below a bold heading that begins with these words. */
function blocksOf(heading: string): string[] {
  const [, section = ""] = page.split(`**${heading}`);
  const [own = ""] = section.split("\n**");
  return Array.from(own.matchAll(/```sql\n([^]*?)```/g), ([, block = ""]) => block);
}

let bench: AzureSqlBench;
const open: AzureSqlBench[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A server without any grant, and the statements of the page run on it as an administrator. */
async function startGranted(
  edition: TdsEdition,
  headings: readonly string[],
  select = (block: string) => block,
): Promise<void> {
  bench = await startAzureSqlBench(edition, {
    logins: [{ account: "sa", password: "Sa~secret-1", roles: ["sysadmin"] }],
    databases: ["shop"].map((name) => ({ name })),
    masterUsers: [],
    entra: { "keyturn-app": "token of the app" },
  });
  open.push(bench);
  const { world } = bench.tds.inspection;
  const login = world.logins.get("sa");
  bench.login("shop_login", "First~secret-1");
  world.databases.get("master")?.users.delete("shop_login");
  bench.containedUser("shop_user", "First~secret-1");
  for (const block of headings.flatMap(blocksOf).map(select)) {
    const [, name = ""] = /^-- in (\w+)\n/.exec(block) ?? [];
    const database = world.databases.get(toKey(name));
    if (!database) throw new Error(`the block does not say in which database it runs: ${block}`);
    runBatch(world, { id: 1, account: "sa", login, user: undefined, database }, block);
  }
}

const identity: Using = {
  as: "identity",
  getToken: () => Promise.resolve(new Secret("token of the app")),
};
const admin: Using = {
  as: "admin",
  credential: { account: "keyturn_admin", secret: new Secret("Replace-me-1") },
};
const next = (account: string): Credential => ({ account, secret: new Secret("Second~secret-2") });
const patience = () => AbortSignal.timeout(20_000);

/** Those that the page names for contained users: of the block in master only `CREATE LOGIN` and the right for `retire: proof`. */
const ofContained = (block: string) => block.replace(/^GRANT ALTER ANY LOGIN .*\n/m, "");

const cases = [
  {
    name: "an admin on SQL Server, for logins",
    edition: "sql-server",
    headings: ["SQL Server and Managed Instance, an admin."],
    account: "shop_login",
    using: admin,
    changed: {},
  },
  {
    name: "an admin on Managed Instance, for contained users",
    edition: "managed-instance",
    headings: ["SQL Server and Managed Instance, an admin."],
    account: "shop_user",
    using: admin,
    changed: {},
    select: ofContained,
  },
  {
    name: "an admin on SQL Server, for contained users",
    edition: "sql-server",
    headings: ["SQL Server and Managed Instance, an admin."],
    account: "shop_user",
    using: admin,
    changed: { contained: true },
    select: ofContained,
  },
  {
    name: "the identity on Azure SQL Database, for logins",
    edition: "azure-sql-database",
    headings: ["Azure SQL Database, the managed identity, for logins."],
    account: "shop_login",
    using: identity,
    changed: {},
  },
  {
    name: "the identity on Azure SQL Database, for contained users",
    edition: "azure-sql-database",
    headings: ["Azure SQL Database, the managed identity, for contained users."],
    account: "shop_user",
    using: identity,
    changed: { contained: true },
  },
  {
    name: "an admin with a password on Azure SQL Database, for logins",
    edition: "azure-sql-database",
    headings: ["Azure SQL Database, an admin with a password, for logins."],
    account: "shop_login",
    using: admin,
    changed: {},
  },
  {
    name: "an admin with a password on Azure SQL Database, for contained users",
    edition: "azure-sql-database",
    headings: ["Azure SQL Database, an admin with a password, for contained users."],
    account: "shop_user",
    using: admin,
    changed: { contained: true },
  },
] as const;

describe("the statements of docs/rotators/azure-sql.md are enough", () => {
  test.each(cases)("for $name", async ({ edition, headings, account, using, changed, ...more }) => {
    const select = "select" in more ? more.select : undefined;
    const blocks = headings.flatMap(blocksOf);
    expect(blocks.filter((block) => (select?.(block) ?? block) !== block)).toHaveLength(
      select ? 1 : 0,
    );
    await startGranted(edition, headings, select);
    const call = { options: bench.optionsWith(changed), account, using };
    expect(await azureSql.examine?.({ ...call, isProven: false }, patience())).toEqual({
      obstacles: [],
      right: { is: "proven" },
    });
    const notes: string[] = [];
    const note = (sentence: string) => notes.push(sentence);
    await azureSql.apply({ ...call, next: next(account), note }, patience());
    expect(notes).toEqual([]);
    expect(await bench.logsIn(account, "Second~secret-2")).toBe(true);
    expect(await azureSql.hasSessions?.(call, patience())).toBe(false);
    await azureSql.retire?.(call, patience());
    expect(await bench.logsIn(account, "Second~secret-2")).toBe(false);
  });

  const itself: Using = {
    as: "self",
    credential: { account: "shop_login", secret: new Secret("First~secret-1") },
  };

  test("for a login of Azure SQL Database itself, which cannot change itself without them", async () => {
    for (const headings of [[], ["The account itself"]]) {
      await startGranted("azure-sql-database", headings);
      const options = bench.optionsWith();
      const ask = { options, account: "shop_login", using: itself, isProven: true };
      const change = { options, next: next("shop_login"), using: itself };
      const isGranted = headings.length > 0;
      expect(await azureSql.examine?.(ask, patience())).toMatchObject({
        right: { is: isGranted ? "proven" : "missing" },
      });
      const changed = azureSql.apply(change, patience());
      if (isGranted) await changed;
      else await expect(changed).rejects.toThrow("CREATE USER [shop_login] FOR LOGIN [shop_login]");
      expect(await bench.logsIn("shop_login", "Second~secret-2")).toBe(isGranted);
    }
  });

  test("every block of the page is run by one of these tests", () => {
    const run = new Set([...cases.flatMap(({ headings }) => headings), "The account itself"]);
    const all = Array.from(page.matchAll(/```sql\n([^]*?)```/g), ([, block = ""]) => block);
    expect([...run].flatMap(blocksOf).toSorted()).toEqual(all.toSorted());
  });

  test("and without them the right is missing", async () => {
    await startGranted("sql-server", []);
    const call = { options: bench.optionsWith(), account: "shop_login", using: admin };
    expect(await azureSql.examine?.({ ...call, isProven: false }, patience())).toBe("rejected");
  });
});
