import { randomBytes } from "node:crypto";
import sql from "mssql";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../shared/config/load.ts";
import { AccountBlockedError } from "../../shared/core/errors.ts";
import {
  defaultPasswordRules,
  generatePassword,
  type PasswordRules,
} from "../../shared/core/secrets/password.ts";
import { azureSql } from "../../shared/rotators/azure-sql/azure-sql.ts";
import { toLoginVerdict } from "../../shared/rotators/common/sql-server/sql-server-errors.ts";
import {
  findTooSimple,
  findUnfitRulesForSqlServer,
  makeThrowaway,
} from "../../shared/rotators/common/sql-server/sql-server-passwords.ts";
import { makeFolder, problemLines } from "../config/written.ts";

const policies: readonly PasswordRules[] = [
  defaultPasswordRules,
  { length: 16, symbols: "", exclude: "" },
  { length: 128, symbols: "!#$%&()*+,-./:<>?@[]^_`{|}~\"';=\\", exclude: "", dialects: ["ado"] },
  { length: 64, symbols: "!@#$%^&*()", exclude: "O0", dialects: ["ado", "odbc", "jdbc", "uri"] },
  { length: 40, symbols: "-_.~", exclude: "", noLookAlikes: true, noRepeats: true },
  { length: 40, symbols: "+/", exclude: "0123456789", startWithLetter: false },
];

describe("generated passwords", () => {
  it.each(policies.map((rules) => ({ rules })))(
    "of $rules satisfy SQL Server, and come back from the connection string of mssql",
    ({ rules }) => {
      expect(findUnfitRulesForSqlServer(rules)).toBeUndefined();
      for (let count = 0; count < 200; count++) {
        const password = generatePassword(rules, ["shop_a"], randomBytes);
        expect(findTooSimple(password, "shop_a")).toBeUndefined();
        const text = `Server=db.example,1433;Database=shop;User Id=shop_a;Password=${password};Encrypt=true`;
        const config = sql.ConnectionPool.parseConnectionString(text);
        expect(config).toMatchObject({ user: "shop_a", password, server: "db.example" });
      }
    },
  );
});

describe("the complexity rules of SQL Server", () => {
  it.each([
    ["Short1~", "app", "at least 8"],
    ["lowercase-and-symbols", "app", "at least 3 classes"],
    ["My-APP_user-1", "app_USER", "name of the account"],
  ])("refuse %j for %s", (password, account, words) => {
    expect(findTooSimple(password, account)).toContain(words);
  });

  it("accept a throwaway secret whatever the name of the account is", () => {
    for (const account of ["aA1", "aA1~", "app", "abc"]) {
      for (let count = 0; count < 2_000; count++) {
        expect(findTooSimple(makeThrowaway(account), account)).toBeUndefined();
      }
    }
  });

  it("do not search for names of one or two characters", () => {
    expect(findTooSimple("Abcdefg1", "ab")).toBeUndefined();
  });

  it.each([
    { length: 40, symbols: "", exclude: "0123456789" },
    { length: 40, symbols: "-_", exclude: "", atLeast: { digits: 0, symbols: 0 } },
  ])("are not satisfied by %j", (rules) => {
    expect(findUnfitRulesForSqlServer(rules)).toContain("requires 3");
  });

  const written = (password: string) => `
version: 1
vaults: { main: { url: "https://kv-shop.vault.azure.net" } }
policies: { default: { every: 90d, password: ${password} } }
targets:
  shop:
    type: azure-sql
    options: { host: sql.example.com, database: shop }
    accounts: [shop_a, shop_b]
    admin: { secret: shop-admin }
    publish: shop
`;

  it("are known to the check of the configuration", async () => {
    const folder = await makeFolder({
      "keyturn.yaml": written('{ length: 64, symbols: "", atLeast: { digits: 0 } }'),
    });
    expect(await problemLines(loadConfig(folder, { rotators: [azureSql] }))).toEqual([
      expect.stringMatching(/targets\.shop\.type: policy default has passwords .* requires 3/),
    ]);
    const fine = await makeFolder({ "keyturn.yaml": written("{ length: 40 }") });
    expect((await loadConfig(fine, { rotators: [azureSql] })).targets).toHaveLength(1);
  });
});

describe("a log-in that SQL Server refuses because of the state of the login", () => {
  // ALTER LOGIN knows UNLOCK only together with a new password, and options only after WITH.
  it.each([
    [18_486, /WITH CHECK_POLICY = OFF/],
    [18_487, /WITH CHECK_EXPIRATION = OFF/],
    [18_488, /WITH PASSWORD … MUST_CHANGE/],
  ])("names a statement that the server has: %i", (number, statement) => {
    const verdict = toLoginVerdict({ numbers: [number] }, "here");
    expect(verdict).toBeInstanceOf(AccountBlockedError);
    expect(String(verdict)).toMatch(statement);
    expect(String(verdict)).not.toContain("UNLOCK");
  });
});
