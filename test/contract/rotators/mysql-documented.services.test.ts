import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { isStoredForm } from "../../../shared/rotators/mysql/mysql-hashes.ts";
import { asAdmin, mysqlBench, self, withNewSecret } from "./mysql-bench.ts";
import { newSecret } from "./mysql-target.ts";

const page = await readFile(
  fileURLToPath(new URL("../../../docs/rotators/mysql.md", import.meta.url)),
  "utf8",
);

/** The statements of the first block after the text. */
function statementsAfter(text: string): string[] {
  const block = /```sql\n([^]*?)```/.exec(page.slice(page.indexOf(text)))?.[1] ?? "";
  return block.split(";\n").filter((statement) => statement.trim() !== "");
}

const systems = [
  { system: "mysql", intro: "On MySQL:", gap: undefined },
  { system: "mariadb", intro: "On MariaDB:", gap: "MariaDB keeps one password" },
  { system: "newer mariadb", intro: "On MariaDB:", gap: "MariaDB keeps one password" },
] as const;

describe.each(systems)("the documented rights on $system", ({ system, intro, gap }) => {
  const bench = mysqlBench(system);
  const admin: Credential = {
    account: "keyturn_admin",
    secret: new Secret("Choose-1-long-password"),
  };

  it("suffice for an admin", async () => {
    for (const statement of statementsAfter(intro)) await bench.sql(statement);
    const [current, twin] = [await bench.newAccount(), await bench.newAccount()];
    const using = asAdmin(admin);
    const pair = { twin: twin.account };
    const examination = await bench.examine(current.account, using, pair);
    expect(examination.warnings).toBeUndefined();
    await bench.sql("GRANT SELECT ON test.* TO ?@'%'", [twin.account]);
    expect((await bench.examine(current.account, using, pair)).warnings).toEqual([
      expect.stringContaining(": it lacks grants on `test`.*. Give"),
    ]);
    expect(examination.right).toEqual({ is: "proven" });
    expect(examination.obstacles).toEqual([]);
    if (gap === undefined) expect(examination.gap).toBeUndefined();
    else expect(examination.gap).toContain(gap);
    const next = withNewSecret(current);
    const { kept } = await bench.apply(next, using, { keep: current });
    expect(kept).toBe(gap === undefined);
    expect(await bench.works(current)).toBe(gap === undefined);
    await bench.discard(next, using);
    expect(await bench.works(current)).toBe(false);
    expect(await bench.works(next)).toBe(true);
    expect(await bench.hasSessions(current.account, using)).toBe(false);
    await bench.retire(current.account, using);
    expect(await bench.works(next)).toBe(false);
  });
});

describe("the documented account of the app's identity", () => {
  const bench = mysqlBench("mysql");
  const section = page.slice(page.indexOf("## The app's managed identity"));
  const statements = /```text\n([^]*?)```/.exec(section)?.[1] ?? "";

  it("has the rights that it needs, where Azure creates it", async () => {
    const { account } =
      /^SET aad_auth_validate_oids_in_tenant = OFF;\nCREATE AADUSER '(?<account>\w+)' IDENTIFIED BY '<client id>';\n$/.exec(
        statements,
      )?.groups ?? {};
    if (account === undefined) throw new Error("the block has other statements");
    // Only Azure knows the statement, and checks the token that is the password of the account.
    await expect(bench.sql(statements.split("\n")[1] ?? "")).rejects.toThrow("syntax");
    const token = newSecret();
    await bench.sql("CREATE USER ?@'%' IDENTIFIED BY ?", [account, token.reveal()]);
    const grants = statementsAfter("CREATE AADUSER");
    const [, ...ofAdmin] = statementsAfter("On MySQL:");
    expect(grants).toEqual(ofAdmin.map((grant) => grant.replaceAll("keyturn_admin", account)));
    for (const grant of grants) await bench.sql(grant);

    const using = { as: "identity", getToken: () => Promise.resolve(token) } as const;
    const options = bench.optionsWith({ identityAccount: account });
    const current = await bench.newAccount();
    const next = withNewSecret(current);
    const { right, gap } = await bench.examine(current.account, using, { options });
    expect({ right, gap }).toEqual({ right: { is: "proven" } });
    expect(await bench.apply(next, using, { options, keep: current })).toMatchObject({
      kept: true,
    });
    expect([await bench.works(current), await bench.works(next)]).toEqual([true, true]);
    await bench.discard(next, using, options);
    expect(await bench.works(current)).toBe(false);
    await bench.retire(current.account, using, options);
    expect(await bench.works(next)).toBe(false);
  });
});

describe("an account of MySQL that changes itself", () => {
  const bench = mysqlBench("mysql");

  it("keeps its old password with the documented right, and without it says so before", async () => {
    const current = await bench.newAccount("orders");
    const next = withNewSecret(current);
    const { gap } = await bench.examine("orders", self(current));
    expect(gap).toContain("GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO 'orders'@'%'");
    expect((await bench.apply(next, self(current), { keep: current })).kept).not.toBe(true);
    expect(await bench.works(current)).toBe(false);
    for (const statement of statementsAfter("## An account that changes itself")) {
      await bench.sql(statement);
    }
    expect((await bench.examine("orders", self(next))).gap).toBeUndefined();
    const last = withNewSecret(current);
    expect((await bench.apply(last, self(next), { keep: next })).kept).toBe(true);
    expect([await bench.works(next), await bench.works(last)]).toEqual([true, true]);
  });

  it("names its present password where the server requires it", async () => {
    const current = await bench.newAccount();
    await bench.sql("ALTER USER ?@'%' PASSWORD REQUIRE CURRENT", [current.account]);
    const next = withNewSecret(current);
    await bench.apply(next, self(current));
    expect(await bench.works(next)).toBe(true);
  });

  it("is refused with the rules of the server, which the examination shows", async () => {
    const current = await bench.newAccount();
    await bench.sql("INSTALL COMPONENT 'file://component_validate_password'");
    try {
      const weak = { account: current.account, secret: new Secret("too-weak") };
      await expect(bench.apply(weak, self(current))).rejects.toThrow(
        "validate_password.mixed_case_count = 1",
      );
      expect((await bench.examine(current.account)).rules).toMatchObject({ minLength: 8 });
      // A password that nobody knows must satisfy the rules too.
      await bench.retire(current.account);
      expect(await bench.works(current)).toBe(false);
    } finally {
      await bench.sql("UNINSTALL COMPONENT 'file://component_validate_password'");
    }
  });

  it("keeps the published password although the server has a password history", async () => {
    const current = await bench.newAccount();
    await bench.sql("ALTER USER ?@'%' PASSWORD HISTORY 5", [current.account]);
    await bench.sql("ALTER USER ?@'%' IDENTIFIED BY ?", [
      current.account,
      `${current.secret.reveal()}1`,
    ]);
    const keep = { ...current, secret: new Secret(`${current.secret.reveal()}1`) };
    const [lost, next] = [withNewSecret(keep), withNewSecret(keep)];
    await bench.apply(lost, bench.admin(), { keep });
    expect(await bench.apply(next, bench.admin(), { keep })).toMatchObject({ kept: true });
    expect([await bench.works(keep), await bench.works(next)]).toEqual([true, true]);
  });

  it("with SYSTEM_USER can be changed only by an admin that has it too", async () => {
    const current = await bench.newAccount();
    await bench.sql("GRANT SYSTEM_USER ON *.* TO ?@'%'", [current.account]);
    const { right } = await bench.examine(current.account);
    expect(JSON.stringify(right)).toContain("GRANT SYSTEM_USER ON *.* TO 'rotation_admin'@'%'");
    await expect(bench.apply(withNewSecret(current))).rejects.toThrow("SYSTEM_USER");
  });

  it.each(["caching_sha2_password", "sha256_password"])(
    "has a stored form of %s that is recognised",
    async (plugin) => {
      for (const password of ["a", "ünï-€-😀", "x".repeat(64), "y".repeat(256)]) {
        await bench.sql("DROP USER IF EXISTS hashed@'%'");
        await bench.sql(`CREATE USER hashed@'%' IDENTIFIED WITH ${plugin} BY ?`, [password]);
        const [row] = await bench.sql(
          "SELECT authentication_string AS text FROM mysql.user WHERE User = 'hashed'",
        );
        const stored = { plugin, text: String(row?.["text"]) };
        expect(isStoredForm(stored, password)).toBe(true);
        expect(isStoredForm(stored, `${password.slice(1)}b`)).toBe(false);
      }
      expect(isStoredForm({ plugin, text: "$X$" }, "a")).toBeUndefined();
    },
  );
});
