import { describe, expect, it } from "vitest";
import {
  AccountBlockedError,
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { azureSql } from "../../shared/rotators/azure-sql/azure-sql.ts";
import { openSession, StatementError } from "../../shared/rotators/azure-sql/azure-sql-session.ts";
import {
  setLoginSecret,
  setUserSecret,
} from "../../shared/rotators/azure-sql/azure-sql-statements.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import { type AzureSqlBench, database } from "../contract/rotators/azure-sql-bench.ts";
import {
  apply,
  asAdmin,
  credential,
  examine,
  failure,
  first,
  isInUse,
  loginOf,
  patience,
  retire,
  second,
  startBench,
  verify,
} from "./azure-sql-steps.ts";

describe("a change", () => {
  it.each([
    [15_151, ChangeRefusedError, "lacks the right to change it"],
    [15_118, ChangeRefusedError, "not complex enough"],
    [40_632, ChangeRefusedError, "not complex enough"],
    [15_115, ChangeRefusedError, "had before"],
    [15_116, ChangeRefusedError, "too short"],
    [15_119, ChangeRefusedError, "password filter"],
    [262, ChangeRefusedError, "lacks a right"],
    [12_345, ChangeRefusedError, "error 12345"],
    [3906, TargetUnavailableError, "read-only"],
    [1222, TargetUnavailableError, "another change"],
    [40_501, TargetUnavailableError, "too busy"],
    [49_918, TargetUnavailableError, "too busy"],
  ])("that is answered with error %i gives %o", async (number, kind, words) => {
    const bench = await startBench();
    bench.login("app", first);
    bench.tds.faults.on("set-password", { do: "refuse", with: { number, message: "no" } });
    const error = await failure(apply(bench, "app"));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(words);
    expect(await bench.logsIn("app", first)).toBe(true);
  });

  it("that ends the connection with an error is unknown", async () => {
    const bench = await startBench();
    bench.login("app", first);
    bench.tds.faults.on("set-password", { do: "refuse", with: { number: 40_197, severity: 20 } });
    expect(await failure(apply(bench, "app"))).toBeInstanceOf(OutcomeUnknownError);
  });

  it.each(["query", "login"] as const)(
    "that loses the line at a %s has sent nothing",
    async (effect) => {
      const bench = await startBench();
      bench.login("app", first);
      bench.tds.faults.on(effect, { do: "reset-before-effect" });
      expect(await failure(apply(bench, "app"))).toBeInstanceOf(TargetUnavailableError);
      expect(await bench.logsIn("app", first)).toBe(true);
    },
  );

  it.each(["short", "nodigitsandonlylower", "App_user-has-name-1"])(
    "to the secret %j is refused before it is sent, unless the login has no policy",
    async (simple) => {
      const bench = await startBench();
      bench.login("app_user", first);
      const next = credential("app_user", simple);
      const call = { options: bench.optionsWith(), next, using: asAdmin(bench) };
      const error = await failure(azureSql.apply(call, patience()));
      expect(error).toBeInstanceOf(ChangeRefusedError);
      expect(error.message).toContain("policy");
      Object.assign(loginOf(bench, "app_user") ?? {}, { policy: false });
      await azureSql.apply(call, patience());
      expect(await bench.logsIn("app_user", simple)).toBe(true);
    },
  );

  it.each([
    ["mustChange", "must change"],
    ["expired", "expired"],
  ])("gives a login in the state %s a secret that works", async (state, words) => {
    const bench = await startBench();
    bench.login("app", first);
    Object.assign(loginOf(bench, "app") ?? {}, { [state]: true });
    const error = await failure(verify(bench, "app", first));
    expect(error).toBeInstanceOf(AccountBlockedError);
    expect(error.message).toContain(words);
    expect((await examine(bench, "app")).obstacles).toEqual([]);
    await apply(bench, "app");
    expect(await verify(bench, "app", second)).toBe("accepted");
  });

  it("of a contained user waits while the database is read-only", async () => {
    const bench = await startBench();
    bench.containedUser("app", first);
    const shop = bench.tds.inspection.world.databases.get(database);
    if (shop) shop.readOnly = true;
    for (const work of [apply, examine]) {
      const error = await failure(work(bench, "app"));
      expect(error).toBeInstanceOf(TargetUnavailableError);
      expect(error.message).toContain("read-only");
    }
  });

  it("of a login needs no database that can be written", async () => {
    const bench = await startBench();
    bench.login("app", first);
    const shop = bench.tds.inspection.world.databases.get(database);
    if (shop) shop.readOnly = true;
    await apply(bench, "app");
    expect(await verify(bench, "app", second)).toBe("accepted");
  });

  it.each([
    ["locked", true, "is locked"],
    ["enabled", false, "is disabled"],
    ["expired", true, "has expired"],
    ["mustChange", true, "must change the password"],
  ])(
    "waits for an admin whose %s is %s, which says nothing about its secret",
    async (field, value, words) => {
      const bench = await startBench();
      bench.login("app", first);
      const admin = loginOf(bench, "keyturn_admin");
      Object.assign(admin ?? {}, { [field]: value });
      for (const call of [apply, examine, retire, isInUse]) {
        const error = await failure(call(bench, "app"));
        expect(error).toBeInstanceOf(AccountBlockedError);
        expect(error.message).toContain("account keyturn_admin");
        expect(error.message).toContain(words);
      }
      expect(await bench.logsIn("app", first)).toBe(true);
    },
  );

  it("of a sysadmin needs CONTROL SERVER", async () => {
    const bench = await startBench();
    bench.tds.addLogin({ account: "boss", password: first, roles: ["sysadmin"] });
    const { right } = await examine(bench, "boss");
    expect(right).toMatchObject({ why: expect.stringContaining("GRANT CONTROL SERVER") as string });
    expect(await failure(apply(bench, "boss"))).toBeInstanceOf(ChangeRefusedError);
  });

  it("by a login of Azure SQL Database itself needs a user in master", async () => {
    const bench = await startBench("azure-sql-database");
    bench.login("app", first);
    bench.tds.inspection.world.databases.get("master")?.users.delete("app");
    const using: Using = { as: "self", credential: credential("app", first) };
    const error = await failure(apply(bench, "app", { using }));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("cannot open master");
    expect(error.message).toContain("CREATE USER [app] FOR LOGIN [app]");
  });
});

describe("the statement that the server composes", () => {
  const run = async (bench: AzureSqlBench, text: string, values: Record<string, string>) => {
    const place = bench.optionsWith();
    const session = await openSession(place, bench.admin, { where: "here", signal: patience() });
    if (session === "rejected") throw new Error("rejected");
    try {
      return await session.query(text, values);
    } finally {
      await session.close();
    }
  };

  it.each([setLoginSecret, setUserSecret])(
    "is an error when it cannot be quoted: %#",
    async (text) => {
      const bench = await startBench();
      for (const values of [
        { account: "x".repeat(129), secret: second },
        { account: "app", secret: "x".repeat(129) },
      ]) {
        const error = await run(bench, text, values).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(StatementError);
        expect((error as StatementError).failure.numbers).toEqual([50_001]);
      }
    },
  );

  it("would do nothing without that, and report no error", async () => {
    const bench = await startBench();
    const bare = setLoginSecret.replace(/IF @statement[^;]*;/, "");
    expect(bare).not.toContain("THROW");
    const values = { account: "x".repeat(129), secret: second };
    expect(await run(bench, bare, values)).toEqual([]);
  });

  it.each([
    ["an account", credential("x".repeat(129), second)],
    ["a secret", credential("app", `Aa1~${"x".repeat(125)}`)],
  ])("is not sent for %s of more than 128 characters", async (_, next) => {
    const bench = await startBench();
    const call = { options: bench.optionsWith(), next, using: asAdmin(bench) };
    expect(await failure(azureSql.apply(call, patience()))).toBeInstanceOf(ConfigError);
    expect(bench.tds.inspection.connections.total).toBe(0);
  });
});

describe("copies of the logins in Azure SQL Database", () => {
  it("are renewed, so that the new secret works at once", async () => {
    const bench = await startBench("azure-sql-database", { propagation: 100 });
    bench.login("app", first);
    await apply(bench, "app");
    expect(await verify(bench, "app", second)).toBe("accepted");
    expect(await verify(bench, "app", first)).toBe("rejected");
  });

  it("that may not be renewed are reported, and are no error", async () => {
    const bench = await startBench("azure-sql-database", { propagation: 100 });
    bench.login("app", first);
    const shop = bench.tds.inspection.world.databases.get(database);
    shop?.users.get("keyturn_admin")?.permissions.delete("KILL DATABASE CONNECTION");
    const notes: string[] = [];
    await apply(bench, "app", { note: (note) => notes.push(note) });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain("GRANT KILL DATABASE CONNECTION TO [keyturn_admin]");
    expect(await verify(bench, "app", second)).toBe("rejected");
    expect(bench.tds.inspection.accepts("app", second)).toBe(true);
  });

  it("whose renewal loses the line do not hide that the change is made", async () => {
    const bench = await startBench("azure-sql-database");
    bench.login("app", first);
    bench.tds.faults.on("flush", { do: "reset-before-effect" });
    await apply(bench, "app");
    expect(await verify(bench, "app", second)).toBe("accepted");
  });
});
