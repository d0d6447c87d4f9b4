import { describe, expect, it } from "vitest";
import {
  AccountBlockedError,
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
} from "../../shared/core/errors.ts";
import { azureSql } from "../../shared/rotators/azure-sql/azure-sql.ts";
import { type AzureSqlBench, database } from "../contract/rotators/azure-sql-bench.ts";
import {
  apply,
  examine,
  failure,
  first,
  isInUse,
  loginOf,
  retire,
  second,
  startBench,
  verify,
} from "./azure-sql-steps.ts";

describe("what an account is", () => {
  it.each([
    ["a login without a user", { logins: ["x"] }, undefined],
    [
      "a login with a user of another name",
      { logins: ["x"], users: [{ name: "y", login: "x" }] },
      undefined,
    ],
    ["a contained user", { users: [{ name: "x", password: first }] }, undefined],
    ["both", { logins: ["x"], users: [{ name: "x", password: first }] }, "both a contained user"],
    [
      "a user of another login",
      { logins: ["x", "y"], users: [{ name: "x", login: "y" }] },
      "login of another name",
    ],
    ["a user without a login", { users: [{ name: "x" }] }, "has no login"],
    ["an Entra user", { users: [{ name: "x", type: "E" }] }, "a Microsoft Entra principal"],
    ["a Windows user", { users: [{ name: "x", type: "U", login: "x" }] }, "a Windows login"],
    ["a role", { users: [{ name: "x", type: "R" }] }, "it is a role"],
  ] as const)(
    "%s is found out",
    async (
      _,
      {
        logins = [],
        users = [],
      }: {
        logins?: readonly string[];
        users?: readonly {
          name: string;
          login?: string;
          password?: string;
          type?: "E" | "U" | "R";
        }[];
      },
      why,
    ) => {
      for (const edition of ["sql-server", "azure-sql-database"] as const) {
        const bench = await startBench(edition);
        for (const account of logins) bench.tds.addLogin({ account, password: first });
        for (const user of users) bench.tds.addUser(database, user);
        const { right } = await examine(bench, "x");
        if (why === undefined) {
          expect(right).toEqual({ is: "proven" });
          await apply(bench, "x");
        } else {
          expect(right).toMatchObject({
            is: "missing",
            why: expect.stringContaining(why) as string,
          });
          const error = await failure(apply(bench, "x"));
          expect(error).toBeInstanceOf(ChangeRefusedError);
          expect(error.message).toContain(why);
        }
      }
    },
  );

  it("can be set where both exist, and where the name is only unique in the database", async () => {
    const bench = await startBench();
    bench.login("both", first);
    bench.tds.inspection.world.databases.get(database)?.users.delete("both");
    bench.containedUser("both", first);
    await apply(bench, "both", { options: { contained: true } });
    expect(await bench.logsIn("both", second)).toBe(true);
    expect(loginOf(bench, "both")?.password).toBe(first);
    const login = await examine(bench, "keyturn_admin", { options: { contained: true } });
    expect(login.right).toMatchObject({ is: "missing" });
    expect(azureSql.accountRealm?.(bench.optionsWith({ contained: true }))).toBe(database);
    expect(azureSql.accountRealm?.(bench.optionsWith())).toBe("");
  });
});

describe("a disabled login", () => {
  it("that a person has disabled stays disabled: its log-in names that", async () => {
    const bench = await startBench();
    bench.login("app", first);
    bench.tds.setEnabled("app", false);
    const error = await failure(verify(bench, "app", first));
    expect(error).toBeInstanceOf(AccountBlockedError);
    expect(error.message).toContain("disabled");
  });

  it("that Keyturn has disabled rejects the earlier secret", async () => {
    const bench = await startBench();
    bench.login("app", first);
    await retire(bench, "app");
    expect(loginOf(bench, "app")?.enabled).toBe(false);
    expect(await verify(bench, "app", first)).toBe("rejected");
  });

  it.each(["set-password", "enable"] as const)(
    "never works again with the earlier secret when the line is lost at %s",
    async (effect) => {
      for (const fault of ["reset-before-effect", "lost-reply-after-effect"] as const) {
        const bench = await startBench();
        bench.login("app", first);
        bench.tds.setEnabled("app", false);
        bench.tds.faults.on(effect, { do: fault });
        expect(await failure(apply(bench, "app"))).toBeInstanceOf(OutcomeUnknownError);
        // If it is enabled, then with a secret that nobody knows.
        if (loginOf(bench, "app")?.enabled)
          expect(await verify(bench, "app", first)).toBe("rejected");
        await apply(bench, "app");
        expect(await verify(bench, "app", second)).toBe("accepted");
      }
    },
  );

  it.each(["disable", "set-password"] as const)(
    "is disabled by a repeated retirement when the line is lost at %s",
    async (effect) => {
      const bench = await startBench();
      bench.login("app", first);
      bench.tds.faults.on(effect, { do: "reset-before-effect" });
      expect(await failure(retire(bench, "app"))).toBeInstanceOf(OutcomeUnknownError);
      await retire(bench, "app");
      expect(loginOf(bench, "app")?.enabled).toBe(false);
      expect(await verify(bench, "app", first)).toBe("rejected");
    },
  );
});

describe("an examination", () => {
  it.each([
    [
      "no user in the database",
      (bench: AzureSqlBench) => {
        bench.tds.addLogin({ account: "app", password: first });
      },
      "CREATE USER [app] FOR LOGIN [app]",
    ],
    [
      "DENY CONNECT SQL",
      (bench: AzureSqlBench) => {
        bench.login("app", first);
        Object.assign(loginOf(bench, "app") ?? {}, { denied: true });
      },
      "GRANT CONNECT SQL TO [app]",
    ],
    [
      "a lock",
      (bench: AzureSqlBench) => {
        bench.login("app", first);
        Object.assign(loginOf(bench, "app") ?? {}, { locked: true });
      },
      "CHECK_POLICY = OFF",
    ],
  ])("names %s", async (_, prepare, words) => {
    const bench = await startBench();
    prepare(bench);
    const { obstacles, right } = await examine(bench, "app");
    expect(right).toEqual({ is: "proven" });
    expect(obstacles).toEqual([expect.stringContaining(words)]);
  });

  it("names a server that accepts only Entra log-ins", async () => {
    const bench = await startBench("managed-instance", { entraOnly: true });
    bench.login("app", first);
    const { obstacles } = await examine(bench, "app", { using: bench.identity });
    expect(obstacles).toEqual([expect.stringContaining("only Microsoft Entra log-ins")]);
    expect(await failure(verify(bench, "app", first))).toBeInstanceOf(ConfigError);
  });

  it("does not take what the authority cannot see for missing", async () => {
    const bench = await startBench();
    bench.login("app", first);
    const shop = bench.tds.inspection.world.databases.get(database);
    for (const one of ["VIEW DEFINITION", "ALTER ANY USER"]) {
      shop?.users.get("keyturn_admin")?.permissions.delete(one);
    }
    expect(await examine(bench, "app")).toEqual({ obstacles: [], right: { is: "proven" } });
  });
});

describe("who is logged in", () => {
  it("cannot be asked without the right to see the sessions of others", async () => {
    const bench = await startBench();
    bench.login("app", first);
    loginOf(bench, "keyturn_admin")?.permissions.delete("VIEW SERVER STATE");
    const error = await failure(isInUse(bench, "app"));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("lacks VIEW SERVER STATE");
    loginOf(bench, "keyturn_admin")?.permissions.add("VIEW SERVER PERFORMANCE STATE");
    expect(await isInUse(bench, "app")).toBe(false);
  });

  it("is looked for in every database of Azure SQL Database, or cannot be asked", async () => {
    const bench = await startBench("azure-sql-database");
    bench.login("app", first);
    const shop = bench.tds.inspection.world.databases.get(database);
    const rights = shop?.users.get("keyturn_admin")?.permissions;
    rights?.delete("VIEW DATABASE STATE");
    expect((await failure(isInUse(bench, "app"))).message).toContain(
      "GRANT VIEW DATABASE STATE TO [keyturn_admin]",
    );
    rights?.add("VIEW DATABASE STATE");
    expect(await isInUse(bench, "app")).toBe(false);
    const leave = await bench.stay("app", first);
    expect(await isInUse(bench, "app", { options: { database: "master" } })).toBe(true);
    await leave();
    shop?.users.delete("keyturn_admin");
    const error = await failure(isInUse(bench, "app", { options: { database: "master" } }));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("cannot open database `shop`");
  });
});
