import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergePayload } from "../../../../shared/core/payload/merge-payload.ts";
import { readPayload, renderPayload } from "../../../../shared/core/payload/payload.ts";
import { findForm, listForms } from "../../../../shared/core/payload/texts/forms.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import type { Endpoint, TextFormName } from "../../../../shared/core/target.ts";
import { hostileLogins } from "./hostile.ts";

const old = "0ld-Secret_of-all";
const next = "n3w;Secret@of all";
const postgresql = {
  ...{ engine: "postgresql", host: "db.example.com", port: 5432 },
  database: "shop",
};
const ours = { "keyturn-target": "orders" };

interface Given {
  readonly as?: TextFormName;
  readonly endpoint?: Endpoint;
  readonly account?: string;
  readonly accounts?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly contentType?: string;
}

/** The version that follows `before`. */
function mergeAfter(before: string, given: Given = {}) {
  const { as = "uri", endpoint = postgresql, account = "app", accounts = [account] } = given;
  const credential = { account, secret: new Secret(next) };
  const { value, ...rest } = mergePayload({
    previous: {
      value: new Secret(before),
      ...{ contentType: given.contentType ?? "", tags: given.tags ?? {} },
    },
    fresh: { ...renderPayload(as, credential, endpoint), tags: ours },
    ...{ credential, accounts, tags: {}, form: findForm(as, endpoint.engine) },
  });
  return { ...rest, text: value.reveal() };
}

const sqlserver = { ...postgresql, engine: "sqlserver", port: 1433 };
const mysql = { ...postgresql, engine: "mysql", port: 3306 };
const mongodb = {
  ...{ ...postgresql, engine: "mongodb", port: 27017 },
  more: { authSource: "admin", tls: "true" },
};
const redis = { engine: "redis", host: "db.example.com", port: 6379 };

describe("what a person added to a text", () => {
  it.each<[TextFormName, Endpoint, string, string]>([
    [
      "uri",
      postgresql,
      `postgres://app:${old}@db.example.com/shop?sslmode=require&application_name=orders%20api#x`,
      "postgres://app:n3w%3BSecret%40of%20all@db.example.com/shop?sslmode=require&application_name=orders%20api#x",
    ],
    [
      "jdbc",
      postgresql,
      `jdbc:postgresql://db.example.com/shop?password=${old}&ApplicationName=x&user=app`,
      "jdbc:postgresql://db.example.com/shop?password=n3w%3BSecret%40of%20all&ApplicationName=x&user=app",
    ],
    [
      "ado",
      postgresql,
      `Server=db.example.com;User Id=app;Password=${old};Maximum Pool Size=50;`,
      'Server=db.example.com;User Id=app;Password="n3w;Secret@of all";Maximum Pool Size=50;',
    ],
    [
      "odbc",
      postgresql,
      `DSN=orders;UID=app;PWD=${old};BoolsAsChar=0`,
      "DSN=orders;UID=app;PWD={n3w;Secret@of all};BoolsAsChar=0",
    ],
    [
      "libpq",
      postgresql,
      `host=db.example.com user=app password=${old} connect_timeout=3`,
      "host=db.example.com user=app password='n3w;Secret@of all' connect_timeout=3",
    ],
    [
      "sqlalchemy",
      postgresql,
      `postgresql+asyncpg://app:${old}@db.example.com/shop?ssl=require`,
      "postgresql+asyncpg://app:n3w%3BSecret%40of%20all@db.example.com/shop?ssl=require",
    ],
    [
      "jdbc",
      mysql,
      `jdbc:mysql://db.example.com:3306/shop?user=app&password=${old}&cachePrepStmts=true`,
      "jdbc:mysql://db.example.com:3306/shop?user=app&password=n3w%3BSecret%40of%20all&cachePrepStmts=true",
    ],
    [
      "ado",
      sqlserver,
      `Data Source=db.example.com;Initial Catalog=shop;UID=app;PWD=${old};Connect Timeout=30`,
      'Data Source=db.example.com;Initial Catalog=shop;UID=app;PWD="n3w;Secret@of all";Connect Timeout=30',
    ],
    [
      "jdbc",
      sqlserver,
      `jdbc:sqlserver://db.example.com;user=app;password=${old};loginTimeout=30`,
      "jdbc:sqlserver://db.example.com;user=app;password={n3w;Secret@of all};loginTimeout=30",
    ],
    [
      "uri",
      mongodb,
      `mongodb+srv://app:${old}@c.example.com/?w=majority&maxPoolSize=50`,
      "mongodb+srv://app:n3w%3BSecret%40of%20all@c.example.com/?w=majority&maxPoolSize=50",
    ],
    [
      "uri",
      redis,
      `redis://app:${old}@db.example.com/2?protocol=3`,
      "redis://app:n3w%3BSecret%40of%20all@db.example.com/2?protocol=3",
    ],
  ])("as %s of %o stays: %s", (as, endpoint, before, after) => {
    const first = mergeAfter(before, { as, endpoint });
    expect(first.text).toBe(after);
    expect(first.notes).toEqual([]);
    // And in every later version, which has the tags of the first.
    expect(mergeAfter(first.text, { as, endpoint, tags: first.tags })).toMatchObject({
      ...{ text: after, tags: first.tags },
    });
  });

  it("stays with the other account of a pair", () => {
    const before = `Host=db;Username=app_a;Password=${old};Application Name=orders`;
    const given = { as: "ado", account: "app_b", accounts: ["app_a", "app_b"] } as const;
    expect(mergeAfter(before, given).text).toBe(
      'Host=db;Username=app_b;Password="n3w;Secret@of all";Application Name=orders',
    );
  });

  it("stays with the content type", () => {
    const before = `postgres://app:${old}@db/shop`;
    const contentType = "text/plain; charset=utf-8";
    expect(mergeAfter(before, { contentType })).toMatchObject({ contentType });
    expect(mergeAfter("{}", { contentType })).toMatchObject({ contentType: "text/plain" });
  });

  it("is updated where it repeats the superseded credential, or else named", () => {
    const before = `postgres://app:${old}@db/shop?fallback=${old}`;
    const updated = mergeAfter(before);
    expect(updated.text).toContain(`fallback=${encodeURIComponent(next)}`);
    expect(updated.notes).toEqual([]);
    const foreign = `postgres://other:${old}@db2/shop`;
    const named = mergeAfter(`${before}&other=${encodeURIComponent(foreign)}`);
    expect(named.text).toContain(encodeURIComponent(foreign));
    expect(named.notes).toEqual([expect.stringMatching(/^other still holds the superseded/)]);
  });

  it("names the account that Redis takes without a name, once another one takes its place", () => {
    const given = { endpoint: redis, account: "app", accounts: ["default", "app"] };
    expect(mergeAfter(`rediss://:${old}@db.example.com:6379`, given).text).toBe(
      "rediss://app:n3w%3BSecret%40of%20all@db.example.com:6379",
    );
    const same = { endpoint: redis, account: "default" };
    expect(mergeAfter(`rediss://:${old}@db.example.com:6379`, same).text).toBe(
      "rediss://:n3w%3BSecret%40of%20all@db.example.com:6379",
    );
  });
});

describe("the address in a text", () => {
  const fresh = "postgresql://app:n3w%3BSecret%40of%20all@db.example.com:5432/shop";

  it("follows the configuration where Keyturn wrote it", () => {
    const moved = {
      ...postgresql,
      host: "new.example.com",
      database: "store",
      tls: false,
    } as const;
    const before = `postgresql://app:${old}@db.example.com:5432/shop?sslmode=verify-full&pool=5`;
    expect(mergeAfter(before, { endpoint: moved, tags: ours }).text).toBe(
      "postgresql://app:n3w%3BSecret%40of%20all@new.example.com:5432/store?sslmode=disable&pool=5",
    );
  });

  it("gets a parameter that Keyturn did not write before", () => {
    const written = mergeAfter(`postgresql://app:${old}@db.example.com:5432/shop`, { tags: ours });
    expect(written.text).toBe(`${fresh}?sslmode=verify-full`);
    const before = `Server=db.example.com;Port=3306;User ID=app;Password=${old};SslMode=VerifyFull;`;
    expect(mergeAfter(before, { as: "ado", endpoint: mysql, tags: ours }).text).toBe(
      'Server=db.example.com;Port=3306;User ID=app;Password="n3w;Secret@of all";SslMode=VerifyFull;Database=shop',
    );
  });

  it("stays where a person wrote another one, and is listed in a tag", () => {
    const before = `postgresql://app:${old}@pooler:6432/shop`;
    const adopted = mergeAfter(before);
    expect(adopted.text).toBe("postgresql://app:n3w%3BSecret%40of%20all@pooler:6432/shop");
    expect(adopted.tags["keyturn-kept"]).toBe("host,sslmode");
    const moved = { ...postgresql, host: "new.example.com", database: "store" };
    const later = mergeAfter(adopted.text, { endpoint: moved, tags: adopted.tags });
    expect(later.text).toBe("postgresql://app:n3w%3BSecret%40of%20all@pooler:6432/store");
    expect(later.tags["keyturn-kept"]).toBe("host,sslmode");
  });

  it.each<[TextFormName, Endpoint, string]>([
    ["ado", sqlserver, "DB.example.com"],
    ["ado", sqlserver, "tcp:db.example.com"],
    ["ado", sqlserver, "db.example.com,1433"],
  ])("is the same one as %s of %o without a protocol and a port: %s", (as, endpoint, host) => {
    const before = `Server=${host};Database=shop;User ID=app;Password=${old};Encrypt=True;TrustServerCertificate=False`;
    const merged = mergeAfter(before, { as, endpoint });
    expect(merged.text).toContain(`Server=${host};`);
    expect(merged.tags["keyturn-kept"]).toBeUndefined();
    const moved = { ...endpoint, host: "new.example.com" };
    expect(mergeAfter(merged.text, { as, endpoint: moved, tags: merged.tags }).text).toContain(
      "Server=tcp:new.example.com,1433;",
    );
  });

  it("of several servers follows the members and the way to find them", () => {
    const before = `mongodb+srv://app:${old}@c.example.com/shop?authSource=admin&tls=true&w=1`;
    const members = { ...mongodb, members: ["a:27017", "b:27018"] };
    expect(mergeAfter(before, { endpoint: members, tags: ours }).text).toBe(
      "mongodb://app:n3w%3BSecret%40of%20all@a:27017,b:27018/shop?authSource=admin&tls=true&w=1",
    );
  });

  it("that is written twice stays", () => {
    const before = `Host=db.example.com;Server=other;Username=app;Password=${old}`;
    expect(mergeAfter(before, { as: "ado", tags: ours }).text).toContain(
      "Host=db.example.com;Server=other;",
    );
  });
});

describe("a text that cannot be continued is replaced", () => {
  it.each([
    ["JSON", `{"username":"app","password":"${old}","x":1}`],
    ["another form", `Host=db;Username=app;Password=${old}`],
    ["another account", `postgresql://other:${old}@db/shop?pool=5`],
    ["an uncertain password", `postgresql://app:${old}@db/shop?password=b`],
    ["something else", "nothing"],
  ])("%s", (_what, before) => {
    expect(mergeAfter(before).text).toBe(
      "postgresql://app:n3w%3BSecret%40of%20all@db.example.com:5432/shop?sslmode=verify-full",
    );
  });
});

const all = ["postgresql", "mysql", "sqlserver", "mongodb", "redis"].flatMap((engine) =>
  listForms(engine).map((as) => ({ engine, as })),
);

it.each(all)("a merged text of $engine as $as is read back, and stable", ({ engine, as }) => {
  const endpoint = { ...postgresql, engine };
  const form = findForm(as, engine);
  const logins = hostileLogins.filter(
    ({ username }) => form?.findUnfit?.(endpoint, [username]) === undefined,
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...logins),
      fc.constantFrom(...logins),
      fc.boolean(),
      (before, after, isWritten) => {
        const text = (username: string, password: string) =>
          renderPayload(as, { account: username, secret: new Secret(password) }, endpoint);
        const credential = { account: after.username, secret: new Secret(after.password) };
        const merge = (value: Secret, tags: Readonly<Record<string, string>>) =>
          mergePayload({
            previous: { value, contentType: "text/plain", tags },
            fresh: { ...text(after.username, after.password), tags: ours },
            ...{ credential, accounts: [before.username, after.username], tags: {}, form },
          });
        const { value } = text(before.username, before.password);
        const once = merge(value, isWritten ? ours : {});
        const reading = readPayload(once.value, [after.username], form);
        expect(reading).toMatchObject({ kind: "credential", shape: "form" });
        if (reading.kind === "none") throw new Error(reading.why);
        expect(reading.credential.account).toBe(after.username);
        expect(reading.credential.secret.reveal()).toBe(after.password);
        expect(once.value.reveal()).toBe(text(after.username, after.password).value.reveal());
        const twice = merge(once.value, once.tags);
        expect(twice.value.reveal()).toBe(once.value.reveal());
        expect(twice.tags).toEqual(once.tags);
      },
    ),
    { numRuns: 150 },
  );
});
