import { appendFile } from "node:fs/promises";
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import {
  AccountBlockedError,
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { azureSql } from "../../shared/rotators/azure-sql/azure-sql.ts";
import { openSession, StatementError } from "../../shared/rotators/azure-sql/azure-sql-session.ts";
import {
  setLoginSecret,
  setUserSecret,
} from "../../shared/rotators/azure-sql/azure-sql-statements.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import {
  type AzureSqlBench,
  database,
  startAzureSqlBench,
} from "../contract/rotators/azure-sql-bench.ts";
import { toKey } from "../doubles/tds/model.ts";
import type { TdsDoubleOptions, TdsEdition } from "../doubles/tds/server.ts";

const open: AzureSqlBench[] = [];
afterEach(async () => {
  for (const bench of open.splice(0)) {
    await expect.poll(() => bench.tds.inspection.connections.open).toBe(0);
    await bench.close();
  }
});

async function start(edition?: TdsEdition, options?: TdsDoubleOptions): Promise<AzureSqlBench> {
  const bench = await startAzureSqlBench(edition, options);
  open.push(bench);
  return bench;
}

const first = "First~secret-1";
const second = "Second~secret-2";
const patience = () => AbortSignal.timeout(20_000);
const asAdmin = ({ admin }: AzureSqlBench): Using => ({ as: "admin", credential: admin });
const credential = (account: string, secret: string): Credential => ({
  account,
  secret: new Secret(secret),
});

interface Changed {
  readonly options?: object;
  readonly using?: Using;
  readonly keep?: Credential;
  readonly note?: (sentence: string) => void;
}

const apply = (bench: AzureSqlBench, account: string, { options, using, ...rest }: Changed = {}) =>
  azureSql.apply(
    {
      options: bench.optionsWith(options),
      next: credential(account, second),
      using: using ?? asAdmin(bench),
      ...rest,
    },
    patience(),
  );

const verify = (
  bench: AzureSqlBench,
  account: string,
  secret: string,
  options?: object,
  note: (sentence: string) => void = () => undefined,
) =>
  azureSql.verify(
    { options: bench.optionsWith(options), credential: credential(account, secret), note },
    patience(),
  );

async function examine(bench: AzureSqlBench, account: string, { options, using }: Changed = {}) {
  const call = { options: bench.optionsWith(options), account, using: using ?? asAdmin(bench) };
  const found = await azureSql.examine?.({ ...call, isProven: false }, patience());
  if (found === undefined || found === "rejected") throw new Error("no examination");
  return found;
}

const isInUse = (bench: AzureSqlBench, account: string, options?: object) =>
  azureSql.hasSessions?.(
    { options: bench.optionsWith(options), account, using: asAdmin(bench) },
    patience(),
  );

const retire = (bench: AzureSqlBench, account: string) =>
  azureSql.retire?.({ options: bench.optionsWith(), account, using: asAdmin(bench) }, patience());

async function failure(work: Promise<unknown> | undefined): Promise<Error> {
  const error: unknown = await work?.then(
    (value) => `it did not fail: ${String(value)}`,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error(String(error));
  const text = inspect(error, { depth: 10, showHidden: true });
  for (const secret of [first, second]) expect(text).not.toContain(secret);
  return error;
}

const loginOf = ({ tds }: AzureSqlBench, name: string) =>
  tds.inspection.world.logins.get(toKey(name));

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
        const bench = await start(edition);
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
    const bench = await start();
    bench.login("both", first);
    bench.tds.inspection.world.databases.get(database)?.users.delete("both");
    bench.containedUser("both", first);
    await apply(bench, "both", { options: { contained: true } });
    expect(await bench.logsIn("both", second)).toBe(true);
    expect(loginOf(bench, "both")?.password).toBe(first);
    const login = await examine(bench, "keyturn_admin", { options: { contained: true } });
    expect(login.right).toMatchObject({ is: "missing" });
    const { accountRealm } = azureSql;
    expect(accountRealm?.(bench.optionsWith({ contained: true }))).toBe(database);
    expect(accountRealm?.(bench.optionsWith())).toBe("");
  });
});

describe("a disabled login", () => {
  it("that a person has disabled stays disabled: its log-in names that", async () => {
    const bench = await start();
    bench.login("app", first);
    bench.tds.setEnabled("app", false);
    const error = await failure(verify(bench, "app", first));
    expect(error).toBeInstanceOf(AccountBlockedError);
    expect(error.message).toContain("disabled");
  });

  it("that Keyturn has disabled rejects the earlier secret", async () => {
    const bench = await start();
    bench.login("app", first);
    await retire(bench, "app");
    expect(loginOf(bench, "app")?.enabled).toBe(false);
    expect(await verify(bench, "app", first)).toBe("rejected");
  });

  it.each(["set-password", "enable"] as const)(
    "never works again with the earlier secret when the line is lost at %s",
    async (effect) => {
      for (const fault of ["reset-before-effect", "lost-reply-after-effect"] as const) {
        const bench = await start();
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
      const bench = await start();
      bench.login("app", first);
      bench.tds.faults.on(effect, { do: "reset-before-effect" });
      expect(await failure(retire(bench, "app"))).toBeInstanceOf(OutcomeUnknownError);
      await retire(bench, "app");
      expect(loginOf(bench, "app")?.enabled).toBe(false);
      expect(await verify(bench, "app", first)).toBe("rejected");
    },
  );
});

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
    const bench = await start();
    bench.login("app", first);
    bench.tds.faults.on("set-password", { do: "refuse", with: { number, message: "no" } });
    const error = await failure(apply(bench, "app"));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(words);
    expect(await bench.logsIn("app", first)).toBe(true);
  });

  it("that ends the connection with an error is unknown", async () => {
    const bench = await start();
    bench.login("app", first);
    bench.tds.faults.on("set-password", { do: "refuse", with: { number: 40_197, severity: 20 } });
    expect(await failure(apply(bench, "app"))).toBeInstanceOf(OutcomeUnknownError);
  });

  it.each(["query", "login"] as const)(
    "that loses the line at a %s has sent nothing",
    async (effect) => {
      const bench = await start();
      bench.login("app", first);
      bench.tds.faults.on(effect, { do: "reset-before-effect" });
      expect(await failure(apply(bench, "app"))).toBeInstanceOf(TargetUnavailableError);
      expect(await bench.logsIn("app", first)).toBe(true);
    },
  );

  it.each(["short", "nodigitsandonlylower", "App_user-has-name-1"])(
    "to the secret %j is refused before it is sent, unless the login has no policy",
    async (simple) => {
      const bench = await start();
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
    const bench = await start();
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
    const bench = await start();
    bench.containedUser("app", first);
    const shop = bench.tds.inspection.world.databases.get(database);
    if (shop) shop.readOnly = true;
    for (const work of [apply(bench, "app"), examine(bench, "app")]) {
      const error = await failure(work);
      expect(error).toBeInstanceOf(TargetUnavailableError);
      expect(error.message).toContain("read-only");
    }
  });

  it("of a sysadmin needs CONTROL SERVER", async () => {
    const bench = await start();
    bench.tds.addLogin({ account: "boss", password: first, roles: ["sysadmin"] });
    const { right } = await examine(bench, "boss");
    expect(right).toMatchObject({ why: expect.stringContaining("GRANT CONTROL SERVER") as string });
    expect(await failure(apply(bench, "boss"))).toBeInstanceOf(ChangeRefusedError);
  });

  it("by a login of Azure SQL Database itself needs a user in master", async () => {
    const bench = await start("azure-sql-database");
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
    const session = await openSession(place, bench.admin, "here", patience());
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
      const bench = await start();
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
    const bench = await start();
    const bare = setLoginSecret.replace(/IF @statement[^;]*;/, "");
    expect(bare).not.toContain("THROW");
    const values = { account: "x".repeat(129), secret: second };
    expect(await run(bench, bare, values)).toEqual([]);
  });

  it.each([
    ["an account", credential("x".repeat(129), second)],
    ["a secret", credential("app", `Aa1~${"x".repeat(125)}`)],
  ])("is not sent for %s of more than 128 characters", async (_, next) => {
    const bench = await start();
    const call = { options: bench.optionsWith(), next, using: asAdmin(bench) };
    expect(await failure(azureSql.apply(call, patience()))).toBeInstanceOf(ConfigError);
    expect(bench.tds.inspection.connections.total).toBe(0);
  });
});

describe("copies of the logins in Azure SQL Database", () => {
  it("are renewed, so that the new secret works at once", async () => {
    const bench = await start("azure-sql-database", { propagation: 100 });
    bench.login("app", first);
    await apply(bench, "app");
    expect(await verify(bench, "app", second)).toBe("accepted");
    expect(await verify(bench, "app", first)).toBe("rejected");
  });

  it("that may not be renewed are reported, and are no error", async () => {
    const bench = await start("azure-sql-database", { propagation: 100 });
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
    const bench = await start("azure-sql-database");
    bench.login("app", first);
    bench.tds.faults.on("flush", { do: "reset-before-effect" });
    await apply(bench, "app");
    expect(await verify(bench, "app", second)).toBe("accepted");
  });
});

describe("an examination", () => {
  it.each([
    [
      "no user in the database",
      (bench: AzureSqlBench) => bench.tds.addLogin({ account: "app", password: first }),
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
    const bench = await start();
    prepare(bench);
    const { obstacles, right } = await examine(bench, "app");
    expect(right).toEqual({ is: "proven" });
    expect(obstacles).toEqual([expect.stringContaining(words)]);
  });

  it("names a server that accepts only Entra log-ins", async () => {
    const bench = await start("managed-instance", { entraOnly: true });
    bench.login("app", first);
    const { obstacles } = await examine(bench, "app", { using: bench.identity });
    expect(obstacles).toEqual([expect.stringContaining("only Microsoft Entra log-ins")]);
    expect(await failure(verify(bench, "app", first))).toBeInstanceOf(ConfigError);
  });

  it("does not take what the authority cannot see for missing", async () => {
    const bench = await start();
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
    const bench = await start();
    bench.login("app", first);
    loginOf(bench, "keyturn_admin")?.permissions.delete("VIEW SERVER STATE");
    const error = await failure(isInUse(bench, "app"));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("lacks VIEW SERVER STATE");
    loginOf(bench, "keyturn_admin")?.permissions.add("VIEW SERVER PERFORMANCE STATE");
    expect(await isInUse(bench, "app")).toBe(false);
  });

  it("is looked for in every database of Azure SQL Database, or cannot be asked", async () => {
    const bench = await start("azure-sql-database");
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
    expect(await isInUse(bench, "app", { database: "master" })).toBe(true);
    await leave();
    shop?.users.delete("keyturn_admin");
    const error = await failure(isInUse(bench, "app", { database: "master" }));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain("cannot open database `shop`");
  });
});

describe("a redirect", () => {
  it.each(["strict", "mandatory"])(
    "is followed with %s encryption, by each authority",
    async (mode) => {
      const second = await start("azure-sql-database", { certifiedFor: ["127.0.0.1"] });
      const routesTo = { server: "127.0.0.1", port: second.tds.port };
      const gateway = await start("azure-sql-database", { certifiedFor: ["localhost"], routesTo });
      const { caFile = "" } = gateway.optionsWith().tls;
      await appendFile(caFile, `\n${second.tds.ca}`);
      for (const { world } of [gateway.tds.inspection, second.tds.inspection]) {
        for (const token of ["the token"]) world.entra.set(token, "keyturn-app");
      }
      second.login("app", first);
      gateway.login("app", first);
      const options = { tls: { mode, caFile } };
      const admin = loginOf(gateway, "keyturn_admin");
      Object.assign(admin ?? {}, { password: second.admin.secret.reveal() });
      await apply(gateway, "app", { options, using: asAdmin(second) });
      const using: Using = {
        as: "identity",
        getToken: () => Promise.resolve(new Secret("the token")),
      };
      expect((await examine(gateway, "app", { options, using })).right).toEqual({ is: "proven" });
      expect(second.tds.inspection.accepts("app", "Second~secret-2")).toBe(true);
      expect(gateway.tds.inspection.accepts("app", first)).toBe(true);
    },
  );

  it("to a host outside Azure gets no token", async () => {
    const routesTo = { server: "sql.example.com", port: 1433 };
    const bench = await start("azure-sql-database", { routesTo });
    bench.login("app", first);
    for (const options of [{}, { host: "sql.example.com" }]) {
      const error = await failure(apply(bench, "app", { options, using: bench.identity }));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toContain("only to hosts of Azure SQL");
    }
  });
});

describe("logins on several servers", () => {
  async function startTwo(sid?: string) {
    const [one, two] = [await start(), await start()];
    one.login("app", first);
    two.tds.addLogin({ account: "app", password: first, ...(sid !== undefined && { sid }) });
    two.tds.addUser("master", { name: "app", login: "app" });
    const { caFile = "" } = one.optionsWith().tls;
    await appendFile(caFile, `\n${two.tds.ca}`);
    Object.assign(loginOf(two, "keyturn_admin") ?? {}, { password: one.admin.secret.reveal() });
    const options = { database: "master", alsoOn: [`localhost:${two.tds.port}`] };
    const secrets = () => [one, two].map((bench) => loginOf(bench, "app")?.password);
    return { one, two, options, secrets };
  }

  it("are changed on both, and retired on both", async () => {
    const { one, two, options, secrets } = await startTwo();
    expect(await examine(one, "app", { options })).toEqual({
      obstacles: [],
      right: { is: "proven" },
    });
    await apply(one, "app", { options });
    expect(secrets()).toEqual([second, second]);
    expect(await verify(one, "app", second, options)).toBe("accepted");
    await azureSql.retire?.(
      { options: one.optionsWith(options), account: "app", using: asAdmin(one) },
      patience(),
    );
    expect([one, two].map((bench) => loginOf(bench, "app")?.enabled)).toEqual([false, false]);
  });

  it("are not changed when they are different logins", async () => {
    const { one, options, secrets } = await startTwo("AB".repeat(16));
    const { right } = await examine(one, "app", { options });
    expect(right).toMatchObject({ why: expect.stringContaining("SID = 0x") as string });
    expect(await failure(apply(one, "app", { options }))).toBeInstanceOf(ChangeRefusedError);
    expect(secrets()).toEqual([first, first]);
  });

  it("are not changed when one server is down or refuses the right", async () => {
    const { one, two, options, secrets } = await startTwo();
    loginOf(two, "keyturn_admin")?.permissions.clear();
    const error = await failure(apply(one, "app", { options }));
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error.message).toContain(`localhost:${two.tds.port}`);
    expect(secrets()).toEqual([first, first]);
  });

  it("that differ are not accepted, and each answer is said", async () => {
    const { one, two, options } = await startTwo();
    Object.assign(loginOf(two, "app") ?? {}, { password: second });
    const notes: string[] = [];
    expect(await verify(one, "app", second, options, (note) => notes.push(note))).toBe("rejected");
    expect(notes).toEqual([
      `The servers differ about the same secret: localhost:${one.tds.port} rejected it; localhost:${two.tds.port} accepted it.`,
    ]);
  });

  it.each(["admin", "self"] as const)(
    "are set back by %s when the second server refuses the change",
    async (as) => {
      const { one, two, options, secrets } = await startTwo();
      two.tds.faults.on("set-password", { do: "refuse", with: { number: 15_119, message: "no" } });
      const keep = credential("app", first);
      const using: Using = as === "self" ? { as, credential: keep } : asAdmin(one);
      const error = await failure(apply(one, "app", { options, using, keep }));
      expect(error).toBeInstanceOf(ChangeRefusedError);
      expect(error.message).toContain("nothing is changed");
      expect(secrets()).toEqual([first, first]);
    },
  );

  it("are repaired within the call when the second server loses its reply", async () => {
    const { one, two, options, secrets } = await startTwo();
    two.tds.faults.on("set-password", { do: "lost-reply-after-effect" });
    await apply(one, "app", { options, keep: credential("app", first) });
    expect(secrets()).toEqual([second, second]);
  });

  it("are not for contained users", async () => {
    const { one, options } = await startTwo();
    one.tds.addUser("master", { name: "inside", password: first });
    expect(await failure(apply(one, "inside", { options }))).toBeInstanceOf(Error);
    const error = await failure(examine(one, "inside", { options }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("Remove options.alsoOn");
  });
});
