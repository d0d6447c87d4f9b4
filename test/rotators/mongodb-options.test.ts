import { describe, expect, it } from "vitest";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";

const parse = (options: object) => mongodb.options.safeParse(options);

describe("the options of MongoDB", () => {
  it("use TLS and accounts in admin by default", () => {
    expect(mongodb.options.parse({ host: "db.example.com" })).toEqual({
      host: "db.example.com",
      port: 27017,
      database: "test",
      authDatabase: "admin",
      adminAuthDatabase: "admin",
      tls: { mode: "verify-full" },
    });
  });

  it.each([
    ["one server", { host: "db.example.com", port: 27018 }, "db.example.com", 27018],
    ["an IPv6 address", { host: "fd00::7" }, "fd00::7", 27017],
    ["a replica set", { hosts: ["a.example.com:1", "b:2"], replicaSet: "rs" }, "a.example.com", 1],
    ["several mongos", { hosts: ["[fd00::7]:27019", "b:2"] }, "fd00::7", 27019],
  ])("take %s and pass it to consumers", (_, options, host, port) => {
    const endpoint = mongodb.endpoint(mongodb.options.parse(options));
    expect(endpoint).toEqual({ engine: "mongodb", host, port, database: "test" });
  });

  it.each([
    ["no host at all", {}],
    ["both ways to say where", { host: "a", hosts: ["b:1"] }],
    ["a replica set without members", { host: "a", replicaSet: "rs" }],
    ["a host with a user", { host: "user@a" }],
    ["a host with options", { host: "a/?tls=false" }],
    ["a second host in the first", { host: "a,b" }],
    ["a member with options", { hosts: ["a:1/?tls=false"] }],
    ["a member without port", { hosts: ["a"] }],
    ["no members", { hosts: [] }],
    ["a database that is none", { host: "a", authDatabase: "$external" }],
    ["a port out of range", { host: "a", port: 0 }],
    ["an authority without TLS", { host: "a", tls: { mode: "disable", caFile: "ca.pem" } }],
    ["what nobody knows", { host: "a", sslValidate: false }],
  ])("refuse %s", (_, options) => {
    expect(parse(options).success).toBe(false);
  });
});
