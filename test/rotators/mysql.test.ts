import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { OutcomeUnknownError, TargetUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { findBrokenRule } from "../../shared/core/secrets/server-rules.ts";
import { mysql } from "../../shared/rotators/mysql/mysql.ts";
import type { Variant } from "../../shared/rotators/mysql/mysql-accounts.ts";
import {
  toChangeError,
  toFailure,
  toLoginVerdict,
  toQueryError,
} from "../../shared/rotators/mysql/mysql-errors.ts";
import { toNativeForm } from "../../shared/rotators/mysql/mysql-hashes.ts";
import { compareHosts, permitsHost } from "../../shared/rotators/mysql/mysql-hosts.ts";
import {
  chooseVariants,
  judgeGap,
  judgeRight,
} from "../../shared/rotators/mysql/mysql-judgement.ts";
import { hasTwoPasswords, planOverlap } from "../../shared/rotators/mysql/mysql-overlap.ts";
import { parseGrants } from "../../shared/rotators/mysql/mysql-rights.ts";
import { describeRules, readRules } from "../../shared/rotators/mysql/mysql-rules.ts";
import type { Server } from "../../shared/rotators/mysql/mysql-session.ts";

describe("the rotator mysql", () => {
  it.each([
    ["%", "10.1.2.3", true],
    ["", "db.example.com", true],
    ["10.1.%", "10.1.2.3", true],
    ["10.1.%", "10.2.2.3", false],
    ["10.1.2._", "10.1.2.3", true],
    ["10.0.0.0/255.255.0.0", "10.0.9.9", true],
    ["10.0.0.0/255.255.0.0", "10.1.9.9", false],
    ["10.0.0.0/8", "10.200.9.9", true],
    ["10.0.0.0/8", "app.example.com", undefined],
    ["%.example.com", "APP.example.com", true],
    ["%.example.com", "app.example.org", false],
    // The server may know the name of the address, or the address of the name.
    ["localhost", "127.0.0.1", undefined],
    ["127.0.0.1", "localhost", undefined],
  ])("knows whether the host %s permits a log-in from %s", (pattern, from, permits) => {
    expect(permitsHost(pattern, from)).toBe(permits);
  });

  it("knows which host the server tries first", () => {
    const hosts = ["%", "10.%", "10.0.0.7", "10.0.0.%", "10.0.0.0/255.255.255.0"];
    expect(hosts.toSorted(compareHosts)).toEqual([
      "10.0.0.0/255.255.255.0",
      "10.0.0.7",
      "10.0.0.%",
      "10.%",
      "%",
    ]);
  });

  it("reads the grants of MySQL and MariaDB", () => {
    const mysqlAdmin = parseGrants([
      "GRANT PROCESS, CREATE USER ON *.* TO `keyturn_admin`@`%`",
      "GRANT APPLICATION_PASSWORD_ADMIN,CONNECTION_ADMIN ON *.* TO `keyturn_admin`@`%`",
      "GRANT SELECT ON `mysql`.`user` TO `keyturn_admin`@`%`",
      "GRANT `role1`@`%` TO `keyturn_admin`@`%`",
    ]);
    expect(mysqlAdmin.has("CREATE USER")).toBe(true);
    expect(mysqlAdmin.has("APPLICATION_PASSWORD_ADMIN")).toBe(true);
    expect(mysqlAdmin.has("SELECT")).toBe(false);
    expect(mysqlAdmin.hasInMysql("SELECT", "user")).toBe(true);
    expect(mysqlAdmin.hasInMysql("UPDATE", "user")).toBe(false);
    const root = parseGrants(["GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION"]);
    expect(root.has("CREATE USER")).toBe(true);
    const partial = parseGrants([
      "GRANT SELECT, UPDATE ON *.* TO `a`@`%`",
      "REVOKE UPDATE ON `mysql`.* FROM `a`@`%`",
    ]);
    expect(partial.hasInMysql("SELECT", "user")).toBe(true);
    expect(partial.hasInMysql("UPDATE", "*")).toBe(false);
    const tricky = parseGrants(["GRANT USAGE ON *.* TO `GRANT CREATE USER ON *.* TO `@`%`"]);
    expect(tricky.has("CREATE USER")).toBe(false);
  });

  const server = (changed: Partial<Server> = {}): Server => ({
    isMariadb: false,
    version: [8, 4, 3],
    loggedInAs: { account: "admin", host: "%" },
    clientHost: "10.0.0.7",
    variables: new Map(),
    ...changed,
  });
  const find = (server: Server, grants: readonly string[], hosts = ["%"]) => ({
    server,
    privileges: parseGrants(grants),
    found: {
      variants: hosts.map((host): Variant => ({ host })),
      protected: [],
      isListed: true,
      isReadable: false,
    },
    account: "app",
    as: "admin" as const,
    options: mysql.options.parse({ host: "db.example.com" }),
  });
  const createUser = "GRANT CREATE USER ON *.* TO `admin`@`%`";

  it("knows from which version on an account can have two passwords", () => {
    const has = (...version: Server["version"]) => hasTwoPasswords(server({ version }));
    expect([has(5, 7, 44), has(8, 0, 13), has(8, 0, 14), has(8, 4, 0), has(9, 7, 4)]).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    expect(hasTwoPasswords(server({ isMariadb: true, version: [12, 1, 0] }))).toBe(false);
  });

  it("says why the old password cannot stay, and how it could", () => {
    expect(judgeGap(find(server(), [createUser]))).toBeUndefined();
    expect(judgeGap(find(server({ version: [8, 0, 13] }), [createUser]))).toContain("8.0.14");
    expect(judgeGap(find(server({ isMariadb: true }), [createUser]))).toContain("a pair");
    const alone = { ...find(server(), []), as: "self" as const };
    expect(judgeGap(alone)).toContain("GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO 'admin'@'%'");
    const right = "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO `admin`@`%`";
    const permitted = { ...find(server(), [right]), as: "self" as const };
    expect(judgeGap(permitted)).toBeUndefined();
  });

  it("requires the right to read the stored passwords where the server has a password history", () => {
    const variables = new Map([["password_history", "5"]]);
    expect(judgeRight(find(server(), [createUser])).is).toBe("proven");
    const right = judgeRight(find(server({ variables }), [createUser]));
    expect(right).toMatchObject({ is: "missing" });
    expect(JSON.stringify(right)).toContain("GRANT SELECT ON mysql.user TO 'admin'@'%'");
  });

  it("never sets a secret that is in doubt, and keeps it where it is first or second", () => {
    const at = (host: string, first: string, second = ""): Variant => ({
      host,
      details: {
        plugin: "mysql_native_password",
        first,
        second,
        otherMethods: [],
        isLocked: false,
        ssl: "none",
        maxConnections: 0,
      },
    });
    const [kept, other] = [toNativeForm("kept"), toNativeForm("other")];
    const variants = [at("a", kept), at("b", other, kept), at("c", other)];
    const plan = (keepInDoubt: boolean) =>
      planOverlap("app", variants, { next: "next", kept: "kept", keepInDoubt });
    const change =
      "?@? IDENTIFIED BY ? RETAIN CURRENT PASSWORD, ?@? IDENTIFIED BY ?, ?@? IDENTIFIED BY ?";
    expect(plan(true).map(({ text }) => text)).toEqual([`ALTER USER ${change}`]);
    expect(plan(false).map(({ text }) => text)).toEqual([
      "ALTER USER ?@? IDENTIFIED BY ?",
      `ALTER USER ${change} RETAIN CURRENT PASSWORD`,
    ]);
    expect(plan(false)[0]?.values).toEqual(["app", "c", "kept"]);
  });

  it("changes the account that its own log-in uses last", () => {
    const hosts = ["10.0.0.7", "%", "192.168.%"];
    const order = chooseVariants(find(server(), [createUser], hosts)).map(({ host }) => host);
    expect(order).toEqual(["192.168.%", "%", "10.0.0.7"]);
  });

  it.each([
    ["validate_password.", "MEDIUM", "short-A1", /at least 9 characters/],
    ["validate_password_", "1", "long-enough-1", /at least 2 upper/],
    ["validate_password.", "LOW", "long-enough-1", undefined],
  ])("reads the rules of %s with the policy %s", (prefix, policy, password, broken) => {
    const values = {
      policy,
      length: 9,
      mixed_case_count: 2,
      number_count: 1,
      special_char_count: 1,
    };
    const variables = new Map(
      Object.entries(values).map(([name, value]) => [`${prefix}${name}`, String(value)]),
    );
    const rules = readRules(variables);
    if (rules === undefined) throw new Error("no rules");
    const answer = findBrokenRule(rules, new Secret(password), "app");
    if (broken === undefined) expect(answer).toBeUndefined();
    else expect(answer).toMatch(broken);
    expect(describeRules(variables)).toContain(`${prefix}length = 9`);
  });

  it("reads the rules of MariaDB", () => {
    const variables = new Map([
      ["simple_password_check_minimal_length", "8"],
      ["simple_password_check_digits", "1"],
      ["simple_password_check_letters_same_case", "1"],
      ["simple_password_check_other_characters", "1"],
    ]);
    expect(readRules(variables)).toEqual({
      source: "simple_password_check on the server",
      minLength: 8,
      atLeast: { lower: 1, upper: 1, digits: 1, symbols: 1 },
    });
    expect(readRules(new Map())).toBeUndefined();
  });

  it("computes the stored form of mysql_native_password", () => {
    // The value of PASSWORD('mypass') in the manual of MySQL 5.6.
    expect(toNativeForm("mypass")).toBe("*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4");
  });

  it("takes numbers from the server only, and nothing else from an error", () => {
    const answer = Object.assign(new Error("x"), { errno: 1045, sqlMessage: "x", code: "SECRET" });
    expect(toFailure(answer)).toEqual({ errno: 1045 });
    const refused = Object.assign(new Error("x"), { errno: -111, code: "ECONNREFUSED" });
    expect(toFailure(refused)).toEqual({ code: "ECONNREFUSED" });
    expect(toFailure("x")).toEqual({});
    expect(toLoginVerdict({ errno: 1045 }, "where", "timed out")).toBe("rejected");
    expect(
      String(toLoginVerdict({ code: "HANDSHAKE_NO_SSL_SUPPORT" }, "where", undefined)),
    ).toContain("offers no TLS");
  });

  it.each([1053, 1317, 1927, 3169])(
    "does not know the outcome of a change that the server ended with %i",
    (errno) => {
      expect(toChangeError({ errno }, "where")).toBeInstanceOf(OutcomeUnknownError);
      expect(toQueryError({ errno }, "where")).toBeInstanceOf(TargetUnavailableError);
    },
  );

  it("accepts only secrets that every account can have", () => {
    const unfit = (text: string) => mysql.findUnfit?.(new Secret(text));
    expect(unfit(randomBytes(48).toString("base64"))).toBeUndefined();
    expect(unfit("ü".repeat(128))).toBeUndefined();
    for (const text of ["ü".repeat(129), "a\0b", "\ud800"])
      expect(unfit(text)).toContain("`value`");
  });

  it("reports options that an authority cannot use", () => {
    const options = mysql.options.parse({ host: "db.example.com", tls: { mode: "disable" } });
    const paths = mysql.findOptionFaults?.(options, "identity").map(({ path }) => path.join("."));
    expect(paths).toEqual(["identityAccount", "tls.mode", "host"]);
    expect(mysql.findOptionFaults?.(options, "admin")).toEqual([]);
  });
});
