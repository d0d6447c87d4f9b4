import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { findAddressProblem } from "../../shared/config/web-address.ts";
import {
  defaultPasswordRules,
  drawPassword,
  generatePassword,
} from "../../shared/core/secrets/password.ts";
import { azureSql } from "../../shared/rotators/azure-sql/azure-sql.ts";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";
import { mongodbOptions } from "../../shared/rotators/mongodb/mongodb-options.ts";
import { mysql } from "../../shared/rotators/mysql/mysql.ts";
import { postgresql } from "../../shared/rotators/postgresql/postgresql.ts";

/** Hosts of Azure SQL in `alsoOn` may have a port. */
const isServer = (text: string) => /^(?:db|cafe|10\.0\.0\.7):5432$/.test(text);

const parse = (options: object) => postgresql.options.safeParse(options);
const problemOf = (options: object) => parse(options).error?.issues[0]?.message;

describe("an IPv6 address", () => {
  it("is written without brackets in options, and the check says so", () => {
    for (const host of ["::1", "2001:db8::1"]) {
      expect(parse({ host }).success).toBe(true);
      const problem = `must be written without brackets, as in ${host}`;
      expect(problemOf({ host: `[${host}]` })).toBe(problem);
      expect(problemOf({ host: "pooler", direct: { host: `[${host}]` } })).toBe(problem);
      expect(mongodbOptions.safeParse({ host }).success).toBe(true);
      expect(mongodbOptions.safeParse({ host: `[${host}]` }).success).toBe(false);
    }
    expect(problemOf({ host: "a b" })).toBe("must be a host name or an IP address");
  });

  it.each([
    ["db:5432", "must be written without a port. Write host: db and port: 5432"],
    ["cafe:5432", "must be written without a port. Write host: cafe and port: 5432"],
    ["10.0.0.7:5432", "must be written without a port. Write host: 10.0.0.7 and port: 5432"],
    ["::::", "must be a host name or an IP address"],
    ["1:2:3", "must be a host name or an IP address"],
    ["fe80::1%eth0", "must be a host name or an IP address"],
    ["10.0.0.256", "must be a host name or an IP address"],
    ["10.0.7", "must be a host name or an IP address"],
    ["db..example.com", "must be a host name or an IP address"],
  ])("or a host that never resolves, such as %s, is refused at the check", (host, problem) => {
    for (const options of [postgresql, mysql, mongodb].map((rotator) => rotator.options)) {
      expect(options.safeParse({ host }).error?.issues.map(({ message }) => message)).toEqual([
        problem,
      ]);
    }
    expect(azureSql.options.safeParse({ host }).success).toBe(false);
    expect(azureSql.options.safeParse({ host: "sql", alsoOn: [host] }).success).toBe(
      isServer(host),
    );
    const member = `${host.includes(":") ? `[${host}]` : host}:27017`;
    expect(mongodb.options.safeParse({ hosts: [member] }).success).toBe(false);
  });

  it("is written with brackets in addresses", () => {
    expect(findAddressProblem("https://[2001:db8::1]/hooks")).toBeUndefined();
    expect(findAddressProblem("http://[::1]:8080/")).toBeUndefined();
    expect(findAddressProblem("https://2001:db8::1/hooks")).toBe("is not a valid web address");
  });
});

describe("the options of PostgreSQL for the app's identity", () => {
  const host = "db.postgres.database.azure.com";
  const options = (changed: object) => postgresql.options.parse({ host, ...changed });
  const faultsOf = (changed: object, as: "self" | "admin" | "identity") =>
    postgresql.findOptionFaults?.(options(changed), as).map(({ path }) => path.join("."));

  it("need the account exactly for the identity, and TLS", () => {
    const [known, open] = [{ identityAccount: "keyturn" }, { tls: { mode: "disable" } }];
    expect(faultsOf({}, "identity")).toEqual(["identityAccount"]);
    expect(faultsOf(known, "identity")).toEqual([]);
    expect(faultsOf({ ...known, ...open }, "identity")).toEqual(["tls.mode"]);
    expect(faultsOf(known, "admin")).toEqual(["identityAccount"]);
    expect(faultsOf(known, "self")).toEqual(["identityAccount"]);
    expect(faultsOf(open, "admin")).toEqual([]);
  });

  it("need a host of Azure, because it receives a token", () => {
    const known = { identityAccount: "keyturn" };
    const elsewhere = { host: "pooler.example.com" };
    expect(faultsOf({ ...known, ...elsewhere }, "identity")).toEqual(["host"]);
    expect(faultsOf({ ...known, ...elsewhere, direct: { host } }, "identity")).toEqual([]);
    expect(faultsOf({ ...known, direct: elsewhere }, "identity")).toEqual(["direct.host"]);
    expect(faultsOf(elsewhere, "admin")).toEqual([]);
  });
});

describe("the port of Azure's PgBouncer", () => {
  const host = "orders.postgres.database.azure.com";
  const faultsOf = (options: object) =>
    postgresql.findOptionFaults?.(postgresql.options.parse({ host, ...options }), "admin");

  it("needs the port of the server itself", () => {
    expect(faultsOf({ port: 6432 })).toEqual([
      {
        path: ["port"],
        message: expect.stringContaining(`add direct: { host: ${host} }`) as string,
      },
    ]);
    expect(faultsOf({ port: 6432, direct: { host } })).toEqual([]);
    expect(faultsOf({})).toEqual([]);
    expect(faultsOf({ host: "db.example.com", port: 6432 })).toEqual([]);
  });
});

describe("a password in a connection string of PostgreSQL", () => {
  const readBack = (text: string) =>
    new Client({ connectionString: `postgresql://app:${text}@db.example.com:5432/orders` })
      .password;

  it("is read by the driver as it is, if the policy is the default one", () => {
    for (let count = 0; count < 300; count++) {
      const password = generatePassword(defaultPasswordRules, ["app"], randomBytes);
      expect(readBack(password)).toBe(password);
    }
  });

  it("is read by the driver as it is, with every alphabet of a policy for URIs", () => {
    const symbols = fc.string({
      unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)),
    });
    let read = 0;
    fc.assert(
      fc.property(symbols, fc.boolean(), (some, startWithLetter) => {
        const rules = {
          ...defaultPasswordRules,
          symbols: some,
          startWithLetter,
          dialects: ["uri"] as const,
        };
        const password = drawPassword(rules, ["app"], randomBytes, 100);
        if (password === undefined) return;
        read += 1;
        expect(readBack(password)).toBe(password);
      }),
    );
    expect(read).toBeGreaterThan(50);
  });

  it("is read by the driver as it was, if it is encoded", () => {
    const any = fc.string({ minLength: 1, unit: "binary" }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(any, (password) => {
        expect(readBack(encodeURIComponent(password))).toBe(password);
      }),
    );
  });
});
