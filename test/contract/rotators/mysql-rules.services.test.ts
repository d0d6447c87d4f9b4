import { afterEach, describe, expect, it } from "vitest";
import { ChangeRefusedError, OutcomeUnknownError } from "../../../shared/core/errors.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import type { Using } from "../../../shared/rotators/rotator.ts";
import { mysqlBench, self, withNewSecret } from "./mysql-bench.ts";

const weak = ({ account }: Credential, text = "short"): Credential => ({
  account,
  secret: new Secret(text),
});

describe.each(["mariadb", "newer mariadb"] as const)("password rules of %s", (system) => {
  const bench = mysqlBench(system);
  const { apply, works, newAccount, sql } = bench;
  const plugins = ["simple_password_check", "cracklib_password_check", "password_reuse_check"];

  afterEach(async () => {
    for (const plugin of plugins) await sql(`UNINSTALL SONAME IF EXISTS '${plugin}'`);
  });

  const authorities = (current: Credential): readonly Using[] => [bench.admin(), self(current)];

  it("of simple_password_check are read by the examination, and named when they refuse a password", async () => {
    const current = await newAccount();
    await sql("INSTALL SONAME 'simple_password_check'");
    await sql("SET GLOBAL simple_password_check_minimal_length = 12");
    for (const using of authorities(current)) {
      expect((await bench.examine(current.account, using)).rules).toEqual({
        source: "simple_password_check on the server",
        minLength: 12,
        atLeast: { lower: 1, upper: 1, digits: 1, symbols: 1 },
      });
      const change = apply(weak(current), using);
      await expect(change).rejects.toBeInstanceOf(ChangeRefusedError);
      await expect(change).rejects.toThrow(
        /error 1819: .*Change `password` of the policy.*simple_password_check_minimal_length = 12/,
      );
      expect(await works(current)).toBe(true);
    }
    const next = withNewSecret(current);
    await apply(next);
    await apply(withNewSecret(next), self(next));
    await bench.retire(current.account);
    expect(await works(next)).toBe(false);
  });

  it("of cracklib_password_check are not shown, so the refusal names the plugin", async () => {
    const current = await newAccount();
    await sql("INSTALL SONAME 'cracklib_password_check'");
    for (const using of authorities(current)) {
      expect((await bench.examine(current.account, using)).rules).toBeUndefined();
      const change = apply(weak(current, "Football1"), using);
      await expect(change).rejects.toBeInstanceOf(ChangeRefusedError);
      await expect(change).rejects.toThrow(
        /Change `password` of the policy.*Its rules: plugin cracklib_password_check$/,
      );
      expect(await works(current)).toBe(true);
    }
    await apply(withNewSecret(current));
  });

  it("refuse an account at all of its hosts, and nothing changed", async () => {
    const current = await newAccount();
    await sql("CREATE USER ?@'10.%' IDENTIFIED BY 'x'", [current.account]);
    await sql("INSTALL SONAME 'simple_password_check'");
    const before = await bench.target.snapshot();
    const change = apply(weak(current));
    await expect(change).rejects.toBeInstanceOf(ChangeRefusedError);
    await expect(change).rejects.toThrow("error 1819");
    expect(await bench.target.snapshot()).toEqual(before);
  });

  it("against reuse permit the repetition of a change that was made, also of one that was half made", async () => {
    const current = await newAccount();
    await sql("CREATE USER ?@'10.%' IDENTIFIED BY 'x'", [current.account]);
    await sql("INSTALL SONAME 'password_reuse_check'");
    const next = withNewSecret(current);
    await sql("ALTER USER ?@'%' IDENTIFIED BY ?", [next.account, next.secret.reveal()]);
    for (let time = 1; time <= 2; time++) {
      expect(await apply(next)).toMatchObject({ kept: false });
      expect(await works(next)).toBe(true);
    }
    await apply(next, self(next));
    await sql("DROP USER ?@'%'", [current.account]);
    await sql("RENAME USER ?@'10.%' TO ?@'%'", [current.account, current.account]);
    expect(await works(next)).toBe(true);
  });

  it("against reuse make the outcome unknown where an account changed at some of its hosts", async () => {
    const current = await newAccount();
    await sql("CREATE USER ?@'10.%' IDENTIFIED BY 'x'", [current.account]);
    await sql("INSTALL SONAME 'password_reuse_check'");
    const [used, later] = [withNewSecret(current), withNewSecret(current)];
    for (const { account, secret } of [used, later]) {
      await sql("ALTER USER ?@'10.%' IDENTIFIED BY ?", [account, secret.reveal()]);
    }
    await expect(apply(used)).rejects.toBeInstanceOf(OutcomeUnknownError);
    await expect(apply(used)).rejects.toThrow("only some of the account's hosts");
  });
});

describe("a password history of mysql", () => {
  const bench = mysqlBench("mysql");
  const { apply, works, sql } = bench;

  async function newAccount(): Promise<Credential> {
    const current = await bench.newAccount();
    await sql("ALTER USER ?@'%' PASSWORD HISTORY 5", [current.account]);
    const first = withNewSecret(current);
    await apply(first);
    return first;
  }

  it("permits the repetition of a change that was made, with and without a password to keep", async () => {
    const current = await newAccount();
    const next = withNewSecret(current);
    for (let time = 1; time <= 2; time++) {
      expect(await apply(next, bench.admin(), { keep: current })).toMatchObject({ kept: true });
      expect([await works(current), await works(next)]).toEqual([true, true]);
    }
    await apply(next);
    await apply(next, self(next));
    expect(await works(next)).toBe(true);
  });

  it("permits the repetition where only some hosts have the change", async () => {
    const current = await newAccount();
    await sql("CREATE USER ?@'10.%' IDENTIFIED BY 'x'", [current.account]);
    const next = withNewSecret(current);
    await sql("ALTER USER ?@'%' IDENTIFIED BY ?", [next.account, next.secret.reveal()]);
    await apply(next);
    await sql("DROP USER ?@'%'", [current.account]);
    await sql("RENAME USER ?@'10.%' TO ?@'%'", [current.account, current.account]);
    expect(await works(next)).toBe(true);
  });

  it("refuses an older password, with what to do, and nothing changed", async () => {
    const older = await newAccount();
    const current = withNewSecret(older);
    await apply(current);
    for (const using of [bench.admin(), self(current)]) {
      const change = apply(older, using);
      await expect(change).rejects.toBeInstanceOf(ChangeRefusedError);
      await expect(change).rejects.toThrow(/error 3638: .*lower PASSWORD HISTORY/);
    }
    expect([await works(older), await works(current)]).toEqual([false, true]);
  });
});
