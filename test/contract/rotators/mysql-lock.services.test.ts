import { describe, expect, it } from "vitest";
import { TargetUnavailableError } from "../../../shared/core/errors.ts";
import { mysql } from "../../../shared/rotators/mysql/mysql.ts";
import { toLockName } from "../../../shared/rotators/mysql/mysql-lock.ts";
import { mysqlBench, self, withNewSecret } from "./mysql-bench.ts";
import { mysqlSystems } from "./mysql-target.ts";

describe.each(mysqlSystems)("the lock under which an account of %s changes", (system) => {
  const bench = mysqlBench(system);
  const { newAccount, apply, works, sql } = bench;

  it("never ends the connection of another account that holds the lock, and names that account", async () => {
    const current = await newAccount();
    const stranger = await newAccount("stranger");
    const next = withNewSecret(current);
    // With every right to end connections, and to see whose they are.
    await sql(
      `GRANT ${system === "mysql" ? "CONNECTION_ADMIN" : "CONNECTION ADMIN"} ON *.* TO ?@'%'`,
      [bench.target.admin.account],
    );
    const connection = await bench.target.connect(stranger);
    const lock = [toLockName(current.account)];
    await connection.query("DO GET_LOCK(?, 0)", lock);
    const before = await bench.target.snapshot();
    const change = apply(next, bench.admin(), { keep: current });
    await expect(change).rejects.toThrow(TargetUnavailableError);
    await expect(change).rejects.toThrow(
      /connection \d+ of account `stranger` from 127\.0\.0\.1:\d+ holds the lock.*run: KILL \d+/s,
    );
    await expect(bench.retire(current.account)).rejects.toThrow("`stranger`");
    expect(await bench.target.snapshot()).toEqual(before);
    const [rows] = await connection.query("SELECT IS_USED_LOCK(?) = CONNECTION_ID() AS mine", lock);
    expect(rows).toMatchObject([{ mine: 1 }]);
    await connection.end();
    await apply(next, bench.admin(), { keep: current });
    expect(await works(next)).toBe(true);
  });

  it("does not end the connection of an account that it cannot see", async () => {
    const current = await newAccount();
    const stranger = await newAccount("unseen");
    const connection = await bench.target.connect(stranger);
    await connection.query("DO GET_LOCK(?, 0)", [toLockName(current.account)]);
    const change = apply(withNewSecret(current), self(current));
    await expect(change).rejects.toThrow(TargetUnavailableError);
    await expect(change).rejects.toThrow(/connection \d+ of another account holds the lock/);
    expect(await works(current)).toBe(true);
    await connection.query("DO 1");
    await connection.end();
  });

  it("ends its own earlier change, which waits on the server", async () => {
    const current = await newAccount();
    const next = withNewSecret(current);
    const blocker = await bench.target.connect();
    try {
      await blocker.query("FLUSH TABLES WITH READ LOCK");
      const late = mysql.apply(
        { options: bench.optionsWith(), next: withNewSecret(current), using: bench.admin() },
        AbortSignal.timeout(500),
      );
      await expect(late).rejects.toThrow("either password may be valid");
      const again = apply(next);
      const waiting = async () => {
        const rows = await sql(
          "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for%lock' AND USER = ?",
          [bench.target.admin.account],
        );
        return rows.map(({ id }) => Number(id));
      };
      const [earlier] = await waiting();
      await expect.poll(waiting, { timeout: 10_000 }).not.toContain(earlier);
      await blocker.end();
      await again;
    } finally {
      await blocker.end();
    }
    expect(await works(next)).toBe(true);
  });
});
