import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergePayload } from "../../../shared/core/payload/merge-payload.ts";
import { parsePayload } from "../../../shared/core/payload/payload.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import {
  type Case,
  credential,
  endpoint,
  merged,
  mergedJson,
  mergeInto,
  newPassword,
  oldPassword,
  ownTags,
} from "./merged.ts";

describe("the keys of a published JSON object", () => {
  it("keep their values and their order, and the new credential takes the place of the old one", () => {
    const previous = {
      sslmode: "require",
      ...credential,
      pool: { max: 5, hosts: ["a"] },
      on: null,
    };
    expect(merged(previous).text).toBe(
      `{"sslmode":"require","username":"app","password":"${newPassword}",` +
        '"pool":{"max":5,"hosts":["a"]},"on":null,' +
        '"engine":"postgresql","host":"db.example.com","port":5432,"database":"orders"}',
    );
  });

  it("keep every digit of a number", () => {
    const previous = `{"id":12345678901234567890,"ratio":1.0,"big":1e400,"username":"app","password":"${oldPassword}"}`;
    expect(merged(previous).text).toContain(
      '"id":12345678901234567890,"ratio":1.0,"big":1e400,"username"',
    );
  });

  it("may have any names", () => {
    const previous = '{"__proto__":{"a":1},"constructor":"c","username":"app","password":"p"}';
    expect(merged(previous).text).toContain('{"__proto__":{"a":1},"constructor":"c",');
  });

  it("are kept when there was no credential among them", () => {
    expect(mergedJson({ sslmode: "require" })).toMatchObject({
      sslmode: "require",
      username: "app",
      password: newPassword,
    });
  });

  it("that differ from Keyturn's only in their case take the new values, so that there are not two", () => {
    const previous = {
      Username: "app",
      Password: oldPassword,
      HOST: "pooler",
      Engine: "postgresql",
    };
    const { text } = merged(previous);
    expect(JSON.parse(text)).toEqual({
      Username: "app",
      Password: newPassword,
      HOST: "pooler",
      Engine: "postgresql",
      port: 5432,
      database: "orders",
    });
    const read = parsePayload(new Secret(text), ["app"]);
    expect(read?.secret.reveal()).toBe(newPassword);
  });

  it("that a system adds follow the configuration, in any case of their names", () => {
    const more = { authSource: "admin", hosts: "a:1,b:2" };
    const previous = { ...credential, authsource: "old", Hosts: "old:1", ssl: true };
    expect(mergedJson(previous, { more, tags: { "keyturn-target": "orders" } })).toEqual({
      ...endpoint,
      ...{ username: "app", password: newPassword },
      ...{ authsource: "admin", Hosts: "a:1,b:2", ssl: true },
    });
  });

  it("that a system adds stay as a person has set them", () => {
    const { text, tags } = merged(
      { ...credential, hosts: "pooler:1" },
      { more: { authSource: "admin", hosts: "a:1,b:2" } },
    );
    expect(JSON.parse(text)).toMatchObject({ authSource: "admin", hosts: "pooler:1" });
    expect(tags["keyturn-kept"]).toBe("hosts");
  });

  it("are kept after a byte-order mark, which is removed", () => {
    const previous = `\uFEFF${JSON.stringify({ ...credential, sslmode: "require" })}`;
    expect(mergedJson(previous)).toMatchObject({ sslmode: "require", password: newPassword });
  });

  it("are left out when there is no JSON object to be written, or none was there", () => {
    expect(merged({ ...credential, x: 1 }, { as: "password" }).text).toBe(newPassword);
    for (const previous of [oldPassword, "[1]", "null", "1", '"x"', "{", ""]) {
      expect(Object.keys(mergedJson(previous))).toEqual([
        "engine",
        "host",
        "port",
        "database",
        "username",
        "password",
      ]);
    }
  });

  it("of a first version are those that Keyturn writes", () => {
    const merge = { ...mergeInto({}), previous: undefined };
    expect(mergePayload(merge)).toMatchObject({ contentType: "application/json", tags: ownTags });
    expect(mergePayload(merge).value.equals(merge.fresh.value)).toBe(true);
  });
});

describe("the address in a published JSON object", () => {
  const pooler = { ...credential, host: "pooler.example.com", port: "6432" };

  it("stays as a person set it, rotation after rotation", () => {
    const first = merged(pooler);
    expect(JSON.parse(first.text)).toMatchObject({ host: "pooler.example.com", port: "6432" });
    expect(first.tags["keyturn-kept"]).toBe("host,port");
    const second = merged(first.text, { tags: first.tags, password: "an0ther-Secret~" });
    expect(JSON.parse(second.text)).toMatchObject({
      host: "pooler.example.com",
      port: "6432",
      password: "an0ther-Secret~",
    });
    expect(second.tags["keyturn-kept"]).toBe("host,port");
  });

  it("follows the configuration if Keyturn wrote it", () => {
    const written = { ...credential, host: "old.example.com", port: 5433, database: "orders" };
    const { text, tags } = merged(written, { tags: ownTags });
    expect(JSON.parse(text)).toMatchObject({ host: "db.example.com", port: 5432 });
    expect(tags).not.toHaveProperty("keyturn-kept");
  });

  it("is Keyturn's again once both are the same", () => {
    const { tags } = merged(
      { ...credential, host: endpoint.host },
      { tags: { "keyturn-kept": "host" } },
    );
    expect(tags).not.toHaveProperty("keyturn-kept");
  });
});

describe("the content type", () => {
  it.each<[string, unknown, Case, string]>([
    [
      "stays",
      credential,
      { contentType: "application/json; charset=utf-8" },
      "application/json; charset=utf-8",
    ],
    ["is set where there was none", credential, {}, "application/json"],
    [
      "stays that of a bare password",
      oldPassword,
      { as: "password", contentType: "password" },
      "password",
    ],
    [
      "of text goes when JSON is written",
      oldPassword,
      { contentType: "text/plain" },
      "application/json",
    ],
    [
      "of a connection string goes with it",
      "host=db user=app password=x",
      { as: "password", contentType: "connection-string" },
      "text/plain",
    ],
    [
      "of JSON goes when text is written",
      credential,
      { as: "password", contentType: "application/json" },
      "text/plain",
    ],
  ])("%s", (_what, previous, given, expected) => {
    expect(merged(previous, given).contentType).toBe(expected);
  });
});

describe("the tags", () => {
  const many = (count: number, name = "theirs") =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}-${index}`, "x"]));

  it("stay, but for those that Keyturn or the configuration sets", () => {
    const tags = { team: "old", owner: "ann", "keyturn-rotation": "00", ProviderAddress: "gone" };
    expect(merged(credential, { tags, configured: { team: "data" } }).tags).toEqual({
      ...ownTags,
      team: "data",
      owner: "ann",
    });
  });

  it("that an earlier rotation wrote do not outlive their reason", () => {
    const merge = mergeInto(credential, { tags: { ...ownTags, "keyturn-old": "x" } });
    const { ValidityPeriodDays: _, ...fewer } = ownTags;
    const { tags } = mergePayload({ ...merge, fresh: { ...merge.fresh, tags: fewer } });
    expect(tags).toEqual(fewer);
  });

  it("are at most fifteen: the last ones of a person's go first, and are named", () => {
    const { tags, notes } = merged(credential, { tags: many(12) });
    expect(Object.keys(tags)).toHaveLength(15);
    expect(tags).toMatchObject({ ...ownTags, ...many(9) });
    expect(notes).toEqual([expect.stringContaining("theirs-9, theirs-10, theirs-11")]);
  });

  it("have room for all of Keyturn's and the configuration's", () => {
    const given = { tags: many(15), configured: many(9, "configured") };
    expect(merged(credential, given).tags).toEqual({ ...ownTags, ...many(9, "configured") });
    const pooled = merged({ ...credential, host: "pooler" }, given).tags;
    expect(pooled).toMatchObject({ ...many(9, "configured"), "keyturn-kept": "host" });
    expect(Object.keys(pooled)).toHaveLength(15);
  });
});

it("Content that does not fit into a version is left out and reported", () => {
  const { text, fits, notes } = merged({ ...credential, certificate: "x".repeat(25 * 1024) });
  expect(fits).toBe(false);
  expect(notes).toHaveLength(1);
  expect(JSON.parse(text)).not.toHaveProperty("certificate");
  expect(merged({ ...credential, certificate: "x".repeat(24 * 1024) }).fits).toBe(true);
});

const json = fc.dictionary(fc.string(), fc.jsonValue());
const password = fc.string({ minLength: 1 });

it("Merging with its own result changes nothing, and what was merged reads back as the credential", () => {
  fc.assert(
    fc.property(json, password, password, fc.boolean(), (extra, before, after, isPair) => {
      const accounts = isPair ? ["app_a", "app_b"] : ["app"];
      const account = isPair ? "app_b" : "app";
      const previous = {
        ...extra,
        username: accounts[0],
        password: before,
        url: `x://${before}@y`,
      };
      const given = { accounts, account, password: after };
      const once = merged(previous, given);
      const twice = merged(once.text, { ...given, tags: once.tags, contentType: once.contentType });
      expect({ ...twice, notes: [] }).toEqual({ ...once, notes: [] });
      const read = parsePayload(new Secret(once.text), accounts);
      expect([read?.account, read?.secret.reveal()]).toEqual([account, after]);
    }),
    { numRuns: 300 },
  );
});
