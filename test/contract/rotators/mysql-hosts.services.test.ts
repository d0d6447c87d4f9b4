import { describe, expect, it } from "vitest";
import { AccountBlockedError, ChangeRefusedError } from "../../../shared/core/errors.ts";
import { mysqlBench, withNewSecret } from "./mysql-bench.ts";
import { mysqlSystems } from "./mysql-target.ts";

describe.each(mysqlSystems)("the hosts of an account of %s", (system) => {
  const bench = mysqlBench(system);
  const { newAccount, apply, works, sql, verify } = bench;

  it("must all exist, or nothing is changed, also when the account logs in", async () => {
    const current = await newAccount();
    const options = bench.optionsWith({ hosts: ["%", "10.9.9.9"] });
    const { right } = await bench.examine(current.account, bench.admin(), {
      options,
      isProven: true,
    });
    expect(JSON.stringify(right)).toContain("does not exist at host `10.9.9.9`");
    const change = apply(withNewSecret(current), bench.admin(), { options, keep: current });
    await expect(change).rejects.toBeInstanceOf(ChangeRefusedError);
    await expect(change).rejects.toThrow("CREATE USER");
    expect(await works(current)).toBe(true);
  });

  it("keep a method of log-in without a password, while the others change", async () => {
    const current = await newAccount();
    const socket = system === "mysql" ? "auth_socket" : "unix_socket";
    if (system === "mysql") await sql("INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'");
    await sql(`CREATE USER ?@'10.%' IDENTIFIED WITH ${socket}`, [current.account]);
    const next = withNewSecret(current);
    await apply(next, bench.admin(), { keep: current });
    expect(await works(next)).toBe(true);
    const [row] = await sql("SELECT plugin FROM mysql.user WHERE User = ? AND Host = '10.%'", [
      current.account,
    ]);
    expect(row).toEqual({ plugin: socket });
  });

  it("whose names differ in case only are not one account", async () => {
    const [lower, upper] = [await newAccount("cased"), await newAccount("CASED")];
    const leave = await bench.target.stay(upper.account, upper.secret.reveal());
    expect(await bench.hasSessions(upper.account)).toBe(true);
    expect(await bench.hasSessions(lower.account)).toBe(false);
    await leave();
    await apply(withNewSecret(lower));
    expect(await works(upper)).toBe(true);
  });

  it("have the grants of a pair, however the server shows names", async () => {
    const [one, two] = [await newAccount(), await newAccount()];
    await sql("GRANT SELECT ON mysql.* TO ?@'%'", [bench.target.admin.account]);
    await sql("GRANT SELECT ON app.* TO ?@'%'", [two.account]);
    await sql("SET GLOBAL sql_quote_show_create = OFF");
    try {
      const { warnings } = await bench.examine(one.account, bench.admin(), { twin: two.account });
      expect(warnings?.join()).toContain("it lacks grants on `app`.*");
    } finally {
      await sql("SET GLOBAL sql_quote_show_create = ON");
    }
  });

  if (system !== "mysql") {
    it.each(system === "newer mariadb" ? ["ed25519", "parsec"] : ["ed25519"])(
      "with the method %s would keep the old password, so the change is refused until options.hosts names the others",
      async (plugin) => {
        const current = await newAccount();
        await sql(`INSTALL SONAME 'auth_${plugin}'`);
        await sql(`CREATE USER ?@'10.%' IDENTIFIED VIA ${plugin} USING PASSWORD(?)`, [
          current.account,
          current.secret.reveal(),
        ]);
        const next = withNewSecret(current);
        const { obstacles } = await bench.examine(current.account);
        expect(obstacles.join()).toContain(`logs in with ${plugin}`);
        await expect(apply(next)).rejects.toBeInstanceOf(ChangeRefusedError);
        await expect(apply(next)).rejects.toThrow("options.hosts");
        expect(await works(current)).toBe(true);
        await apply(next, bench.admin(), { options: bench.optionsWith({ hosts: ["%"] }) });
        expect(await works(next)).toBe(true);
      },
    );

    it("are blocked after too many wrong passwords, which an error names", async () => {
      const current = await newAccount();
      await sql("SET GLOBAL max_password_errors = 2");
      try {
        for (let time = 1; time <= 2; time++) {
          expect(await verify(withNewSecret(current))).toBe("rejected");
        }
        await expect(verify(current)).rejects.toBeInstanceOf(AccountBlockedError);
        await expect(verify(current)).rejects.toThrow("FLUSH PRIVILEGES");
        await sql("FLUSH PRIVILEGES");
        expect(await verify(current)).toBe("accepted");
      } finally {
        await sql("SET GLOBAL max_password_errors = DEFAULT");
      }
    });
  } else {
    it("may have sha256_password, and keep the old password beside the new one", async () => {
      const current = await newAccount();
      const { account, secret } = current;
      await sql("ALTER USER ?@'%' IDENTIFIED WITH sha256_password BY ?", [
        account,
        secret.reveal(),
      ]);
      expect(await verify(current)).toBe("accepted");
      const next = withNewSecret(current);
      expect(await apply(next, bench.admin(), { keep: current })).toMatchObject({ kept: true });
      expect([await verify(current), await verify(next)]).toEqual(["accepted", "accepted"]);
      await bench.discard(next);
      expect([await verify(current), await verify(next)]).toEqual(["rejected", "accepted"]);
    });
  }
});
