import { appendFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ChangeRefusedError, ConfigError, OutcomeUnknownError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { azureSql } from "../../shared/rotators/azure-sql/azure-sql.ts";
import { azureSqlOptions } from "../../shared/rotators/azure-sql/azure-sql-options.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import type { AzureSqlBench } from "../contract/rotators/azure-sql-bench.ts";
import {
  apply,
  asAdmin,
  credential,
  examine,
  failure,
  first,
  loginOf,
  patience,
  retire,
  second,
  startBench,
  verify,
} from "./azure-sql-steps.ts";

describe("a redirect", () => {
  it.each(["strict", "mandatory"])(
    "is followed with %s encryption, by each authority",
    async (mode) => {
      const second = await startBench("azure-sql-database", { certifiedFor: ["127.0.0.1"] });
      const routesTo = { server: "127.0.0.1", port: second.tds.port };
      const gateway = await startBench("azure-sql-database", {
        certifiedFor: ["localhost"],
        routesTo,
      });
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
    const bench = await startBench("azure-sql-database", { routesTo });
    bench.login("app", first);
    for (const options of [{}, { host: "sql.example.com" }]) {
      const error = await failure(apply(bench, "app", { options, using: bench.identity }));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toContain("sends its token to no other host");
    }
  });
});

function setBack(bench: AzureSqlBench, options: object) {
  return azureSql.setBack?.(
    {
      options: bench.optionsWith(options),
      using: asAdmin(bench),
      earlier: credential("app", first),
      next: credential("app", second),
    },
    patience(),
  );
}

describe("logins on several servers", () => {
  async function startTwo(sid?: string) {
    const [one, two] = [await startBench(), await startBench()];
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
    expect(await verify(one, "app", second, { options })).toBe("accepted");
    await retire(one, "app", { options });
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
    expect(await verify(one, "app", second, { options, note: (note) => notes.push(note) })).toBe(
      "rejected",
    );
    expect(notes).toEqual([
      `The servers differ about the same secret: localhost:${one.tds.port} rejected it; localhost:${two.tds.port} accepted it.`,
    ]);
  });

  it("are set back where the change was made, when the second server refuses it", async () => {
    const { one, two, options, secrets } = await startTwo();
    two.tds.faults.on("set-password", { do: "refuse", with: { number: 15_119, message: "no" } });
    const error = await failure(apply(one, "app", { options }));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.cause).toBeInstanceOf(ChangeRefusedError);
    expect(secrets()).toEqual([second, first]);
    expect(await setBack(one, options)).toEqual(
      [one, two].map(({ tds }) => ({
        server: `localhost:${tds.port}`,
        state: "accepts the earlier secret",
      })),
    );
    expect(secrets()).toEqual([first, first]);
    expect(azureSql.hasSeveralServers?.(one.optionsWith(options))).toBe(true);
    expect(azureSql.hasSeveralServers?.(one.optionsWith({ database: "master" }))).toBe(false);
  });

  it("are set back where a copy of the logins still accepts the earlier secret", async () => {
    const { one, two, options, secrets } = await startTwo();
    one.tds.inspection.world.propagation = 4;
    one.tds.faults.on("flush", { do: "refuse", with: { number: 229, message: "no" } });
    two.tds.faults.on("set-password", { do: "refuse", with: { number: 15_119, message: "no" } });
    await failure(apply(one, "app", { options }));
    expect(secrets()).toEqual([second, first]);
    const states = (await setBack(one, options))?.map(({ state }) => state);
    expect(states).toEqual(["accepts the earlier secret", "accepts the earlier secret"]);
    expect(secrets()).toEqual([first, first]);
  });

  it("that a person has disabled meanwhile stay disabled when they are set back", async () => {
    const { one, two, options, secrets } = await startTwo();
    two.tds.faults.on("set-password", { do: "refuse", with: { number: 15_119, message: "no" } });
    await failure(apply(one, "app", { options }));
    Object.assign(loginOf(one, "app") ?? {}, { enabled: false });
    const states = (await setBack(one, options))?.map(({ state }) => state);
    expect(states).toEqual(["gave no answer", "accepts the earlier secret"]);
    expect(loginOf(one, "app")?.enabled).toBe(false);
    expect(secrets()).toEqual([second, first]);
  });

  it("are not changed by the account itself", async () => {
    const { one, options, secrets } = await startTwo();
    const using: Using = { as: "self", credential: credential("app", first) };
    const error = await failure(apply(one, "app", { options, using }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("options.alsoOn is not possible with admin: self");
    expect(secrets()).toEqual([first, first]);
  });

  it("are repaired within the call when the second server loses its reply", async () => {
    const { one, two, options, secrets } = await startTwo();
    two.tds.faults.on("set-password", { do: "lost-reply-after-effect" });
    await apply(one, "app", { options });
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

describe("the options of several servers", () => {
  const options = azureSqlOptions.parse({ host: "a.example.com", alsoOn: ["b.example.com:1444"] });

  it("name every server, so that no other target can change its logins", () => {
    expect(azureSql.endpoint(options)).toMatchObject({
      members: ["a.example.com:1433", "b.example.com:1444"],
    });
    expect(azureSql.endpoint(azureSqlOptions.parse({ host: "a.example.com" }))).not.toHaveProperty(
      "members",
    );
  });

  it.each([
    ["admin", {}, undefined],
    ["identity", {}, /must be in database\.windows\.net/],
    ["self", {}, /not possible with admin: self/],
    ["admin", { contained: true }, /no effect on contained users/],
  ] as const)("are checked for %s with %o", (as, changed, words) => {
    const [fault] = azureSql.findOptionFaults?.({ ...options, ...changed }, as) ?? [];
    expect(fault?.message).toEqual(words && (expect.stringMatching(words) as string));
  });

  it("are all hosts of Azure for the app's identity, which sends its token to each", () => {
    const azure = { ...options, host: "a.database.windows.net" };
    const [fault, ...more] = azureSql.findOptionFaults?.(azure, "identity") ?? [];
    expect(fault?.path).toEqual(["alsoOn"]);
    expect(fault?.message).toMatch(
      /^b\.example\.com with admin: managed-identity must be in database\.windows\.net,/,
    );
    expect(more).toEqual([]);
    const all = { ...azure, alsoOn: ["b.database.usgovcloudapi.net:1444"] };
    expect(azureSql.findOptionFaults?.(all, "identity")).toEqual([]);
  });
});
