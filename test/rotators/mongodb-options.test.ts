import { ConnectionString } from "mongodb-connection-string-url";
import { describe, expect, it } from "vitest";
import { renderPayload } from "../../shared/core/payload/payload.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";

const parse = (options: object) => mongodb.options.safeParse(options);

const documentDb = "orders.mongocluster.cosmos.azure.com";

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
    expect(endpoint.members).toEqual("hosts" in options ? options.hosts : undefined);
    expect(endpoint).toMatchObject({ engine: "mongodb", host, port, database: "test" });
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
    ["a database that is none", { host: "a", authDatabase: "a.b" }],
    ["a host for SRV without a domain", { srvHost: "cluster" }],
    ["a host for SRV with a port", { srvHost: "a.example.com:27017" }],
    ["a host and a host for SRV", { host: "a", srvHost: "a.example.com" }],
    ["a port out of range", { host: "a", port: 0 }],
    ["an authority without TLS", { host: "a", tls: { mode: "disable", caFile: "ca.pem" } }],
    ["what nobody knows", { host: "a", sslValidate: false }],
  ])("refuse %s", (_, options) => {
    expect(parse(options).success).toBe(false);
  });

  it.each([
    ["authDatabase", { host: "a", authDatabase: "$external" }, "$external has no passwords"],
    ["host", { host: "c.abcde.mongodb.net" }, "MongoDB Atlas"],
    ["hosts", { hosts: ["b:1", "C.ABCDE.MONGODB.NET:1"] }, "administration API"],
    ["srvHost", { srvHost: "c.abcde.mongodb.net" }, "managed identity"],
    ["host", { host: "c.mongo.cosmos.azure.com", port: 10255 }, "Regenerate the key"],
    ["authDatabase", { srvHost: documentDb, authDatabase: "orders" }, "must be admin"],
  ])("refuse %s of %j with the reason", (field, options, part) => {
    const issues = parse(options).error?.issues ?? [];
    expect(issues).toHaveLength(1);
    expect(issues[0]?.path).toEqual([field]);
    expect(issues[0]?.message).toContain(part);
  });

  it.each([
    [0, { host: "a" }],
    [0, { hosts: ["a:1"] }],
    [0, { hosts: ["a:1", "b:1"], replicaSet: "rs" }],
    [0, { srvHost: documentDb }],
    [35_000, { hosts: ["a:1", "b:1"] }],
    [35_000, { srvHost: "cluster.example.com" }],
  ])("give a propagation of %i ms to %j", (propagation, options) => {
    expect(mongodb.findPropagation?.(mongodb.options.parse(options))).toBe(propagation);
  });
});

/** As a consumer builds it from the published secret, with the official parser. */
function toUrl(options: object): ConnectionString {
  const account = "o'brien @:/?#[]%";
  const secret = new Secret("a:b@c/d?e#f[g]h&i=j+k%l ü");
  const endpoint = mongodb.endpoint(mongodb.options.parse(options));
  const { value } = renderPayload("json", { account, secret }, endpoint);
  const published = JSON.parse(value.reveal()) as Record<string, string>;
  const { scheme = "mongodb", host, port, hosts = `${host}:${port}`, database } = published;
  const { authSource = "", replicaSet, tls = "" } = published;
  const query = new URLSearchParams({ authSource, tls, ...(replicaSet && { replicaSet }) });
  const at = scheme === "mongodb" ? hosts : host;
  const url = new ConnectionString(`${scheme}://${at}/${database}?${query.toString()}`);
  url.username = encodeURIComponent(published["username"] ?? "");
  url.password = encodeURIComponent(published["password"] ?? "");
  const again = new ConnectionString(url.toString());
  expect(decodeURIComponent(again.username)).toBe(account);
  expect(decodeURIComponent(again.password)).toBe(secret.reveal());
  return again;
}

describe("what is published of a MongoDB", () => {
  it("names every member, the replica set and the authentication database", () => {
    const url = toUrl({
      hosts: ["a.example.com:27017", "b.example.com:27018", "[fd00::7]:27019"],
      replicaSet: "rs0",
      database: "catalog",
      authDatabase: "orders",
    });
    expect(url.hosts).toEqual(["a.example.com:27017", "b.example.com:27018", "[fd00::7]:27019"]);
    expect(url.pathname).toBe("/catalog");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      authSource: "orders",
      replicaSet: "rs0",
      tls: "true",
    });
  });

  it("names one server and whether it uses TLS", () => {
    const url = toUrl({ host: "db.example.com", port: 27018, tls: { mode: "disable" } });
    expect(url.hosts).toEqual(["db.example.com:27018"]);
    expect(url.searchParams.get("tls")).toBe("false");
  });

  it("names the host of an SRV record", () => {
    const url = toUrl({ srvHost: "cluster.example.com" });
    expect(url.isSRV).toBe(true);
    expect(url.hosts).toEqual(["cluster.example.com"]);
    expect(url.searchParams.get("authSource")).toBe("admin");
  });
});
