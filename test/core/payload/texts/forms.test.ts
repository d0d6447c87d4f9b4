import { createClient } from "@redis/client";
import fc from "fast-check";
import { MongoClient } from "mongodb";
import mssql from "mssql";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { readPayload, renderPayload } from "../../../../shared/core/payload/payload.ts";
import { findForm, listForms } from "../../../../shared/core/payload/texts/forms.ts";
import type { Login } from "../../../../shared/core/payload/texts/text-form.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import type { Endpoint, TextFormName } from "../../../../shared/core/target.ts";
import { hostileLogins } from "./hostile.ts";

const endpoints: Readonly<Record<string, Endpoint>> = {
  postgresql: { engine: "postgresql", host: "db.example.com", port: 5432, database: "shop" },
  mysql: { engine: "mysql", host: "db.example.com", port: 3306, database: "shop" },
  sqlserver: { engine: "sqlserver", host: "db.example.com", port: 1433, database: "shop" },
  mongodb: {
    engine: "mongodb",
    host: "a.example.com",
    port: 27017,
    database: "shop",
    members: ["a.example.com:27017", "b.example.com:27018"],
    more: { replicaSet: "rs0", authSource: "admin", tls: "true" },
  },
  redis: { engine: "redis", host: "cache.example.com", port: 6379 },
};

const all = Object.entries(endpoints).flatMap(([engine, endpoint]) =>
  listForms(engine).map((as) => ({ engine, as, endpoint })),
);

function render(as: TextFormName, endpoint: Endpoint, { username, password }: Login): string {
  const credential = { account: username, secret: new Secret(password) };
  const { value, contentType } = renderPayload(as, credential, endpoint);
  expect(contentType).toBe("text/plain");
  return value.reveal();
}

function read(text: string, as: TextFormName, engine: string, accounts: readonly string[] = []) {
  const reading = readPayload(new Secret(text), accounts, findForm(as, engine));
  if (reading.kind === "none") return reading.why;
  const { account, secret } = reading.credential;
  return { shape: reading.shape, username: account, password: secret.reveal() };
}

const login = { username: "app", password: "f1rst" };

describe("a text for consumers", () => {
  it.each<[string, TextFormName, string]>([
    ["postgresql", "uri", "postgresql://app:f1rst@db.example.com:5432/shop?sslmode=verify-full"],
    [
      "postgresql",
      "jdbc",
      "jdbc:postgresql://db.example.com:5432/shop?user=app&password=f1rst&sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory",
    ],
    [
      "postgresql",
      "ado",
      "Host=db.example.com;Port=5432;Database=shop;Username=app;Password=f1rst;SSL Mode=VerifyFull",
    ],
    [
      "postgresql",
      "odbc",
      "Driver={PostgreSQL Unicode};Server=db.example.com;Port=5432;Database=shop;UID=app;PWD=f1rst;SSLmode=verify-full",
    ],
    [
      "postgresql",
      "libpq",
      "host=db.example.com port=5432 dbname=shop user=app password=f1rst sslmode=verify-full",
    ],
    [
      "postgresql",
      "sqlalchemy",
      "postgresql+psycopg://app:f1rst@db.example.com:5432/shop?sslmode=verify-full",
    ],
    [
      "mysql",
      "jdbc",
      "jdbc:mysql://db.example.com:3306/shop?user=app&password=f1rst&sslMode=VERIFY_IDENTITY",
    ],
    [
      "mysql",
      "ado",
      "Server=db.example.com;Port=3306;Database=shop;User ID=app;Password=f1rst;SslMode=VerifyFull",
    ],
    [
      "mysql",
      "sqlalchemy",
      "mysql+pymysql://app:f1rst@db.example.com:3306/shop?ssl_verify_cert=true&ssl_verify_identity=true",
    ],
    [
      "sqlserver",
      "jdbc",
      "jdbc:sqlserver://db.example.com:1433;databaseName=shop;user=app;password=f1rst;encrypt=true;trustServerCertificate=false",
    ],
    [
      "sqlserver",
      "ado",
      "Server=tcp:db.example.com,1433;Database=shop;User ID=app;Password=f1rst;Encrypt=True;TrustServerCertificate=False",
    ],
    [
      "sqlserver",
      "odbc",
      "Driver={ODBC Driver 18 for SQL Server};Server=tcp:db.example.com,1433;Database=shop;UID=app;PWD=f1rst;Encrypt=yes;TrustServerCertificate=no",
    ],
    [
      "sqlserver",
      "sqlalchemy",
      "mssql+pyodbc://app:f1rst@db.example.com:1433/shop?driver=ODBC%20Driver%2018%20for%20SQL%20Server&Encrypt=yes&TrustServerCertificate=no",
    ],
    [
      "mongodb",
      "uri",
      "mongodb://app:f1rst@a.example.com:27017,b.example.com:27018/shop?replicaSet=rs0&authSource=admin&tls=true",
    ],
    ["redis", "uri", "rediss://app:f1rst@cache.example.com:6379/"],
  ])("of %s as %s has the address and the credential", (engine, as, text) => {
    const endpoint = endpoints[engine];
    if (!endpoint) throw new Error(`no endpoint of ${engine}`);
    expect(render(as, endpoint, login)).toBe(text);
  });

  it("demands no TLS where the target has none", () => {
    const texts = all
      .filter(({ engine }) => !["sqlserver", "mongodb"].includes(engine))
      .map(({ as, endpoint }) => render(as, { ...endpoint, tls: false }, login));
    expect(texts).toHaveLength(10);
    for (const text of texts) expect(text).not.toMatch(/verif|rediss|sslfactory/i);
  });

  it("encloses an IPv6 address where a port follows it", () => {
    const endpoint = { engine: "postgresql", host: "2001:db8::1", port: 5432, database: "shop" };
    expect(render("uri", endpoint, login)).toContain("@[2001:db8::1]:5432/");
    expect(render("jdbc", endpoint, login)).toContain("//[2001:db8::1]:5432/");
    expect(render("libpq", endpoint, login)).toContain("host=2001:db8::1 ");
  });

  it("of MongoDB has no port with mongodb+srv, and no retries of writes on Azure DocumentDB", () => {
    const endpoint = {
      ...{ engine: "mongodb", host: "c.mongocluster.cosmos.azure.com", port: 27017 },
      ...{ database: "shop", more: { scheme: "mongodb+srv", authSource: "admin", tls: "true" } },
    };
    expect(render("uri", endpoint, login)).toBe(
      "mongodb+srv://app:f1rst@c.mongocluster.cosmos.azure.com/shop?authSource=admin&tls=true&retryWrites=false",
    );
  });

  it("is not part of JSON", () => {
    const credential = { account: "app", secret: new Secret("f1rst") };
    const endpoint = { engine: "mysql", host: "db", port: 3306, tls: false } as const;
    const { value } = renderPayload("json", credential, endpoint);
    expect(JSON.parse(value.reveal())).toEqual({
      ...{ engine: "mysql", host: "db", port: 3306 },
      ...{ username: "app", password: "f1rst" },
    });
  });
});

/** The class of its clients reads the option `url` with this function. */
const redis = createClient().constructor as unknown as {
  parseURL(url: string): { readonly username?: string; readonly password?: string };
};

/** The clients that are dependencies. Those of Python and Java read the same texts in other suites. */
const clients: readonly (readonly [string, TextFormName, (text: string) => Partial<Login>])[] = [
  [
    "postgresql",
    "uri",
    (text) => {
      const { user, password } = new pg.Client({ connectionString: text });
      return { username: user ?? "", password: password ?? "" };
    },
  ],
  [
    "mongodb",
    "uri",
    (text) => {
      const { username = "", password = "" } = new MongoClient(text).options.credentials ?? {};
      return { username, password };
    },
  ],
  [
    "redis",
    "uri",
    (text) => {
      const { username = "", password = "" } = redis.parseURL(text);
      return { username, password };
    },
  ],
  [
    "sqlserver",
    "ado",
    (text) => {
      const { user = "", password = "" } = mssql.ConnectionPool.parseConnectionString(text);
      return { username: user, password };
    },
  ],
];

/** Whether the configuration check accepts the account. */
const fits =
  (as: TextFormName, endpoint: Endpoint) =>
  ({ username }: Pick<Login, "username">): boolean =>
    findForm(as, endpoint.engine)?.findUnfit?.(endpoint, [username]) === undefined;

describe("every credential", () => {
  it.each(clients)("in a text of %s as %s is read by its client", (engine, as, readByClient) => {
    const endpoint = endpoints[engine];
    if (!endpoint) throw new Error(`no endpoint of ${engine}`);
    for (const one of hostileLogins) {
      expect(readByClient(render(as, endpoint, one))).toEqual(one);
    }
  });

  it.each(all)("in a text of $engine as $as is read back", ({ engine, as, endpoint }) => {
    for (const one of hostileLogins.filter(fits(as, endpoint))) {
      const text = render(as, endpoint, one);
      expect(read(text, as, engine)).toEqual({ shape: "form", ...one });
      expect(read(`\uFEFF${text}\r\n`, as, engine, [one.username])).toEqual({
        ...{ shape: "form", ...one },
      });
    }
  });

  it.each(all)("in a text of $engine as $as is read back: any", ({ engine, as, endpoint }) => {
    const characters = Array.from(" ;='\"{}\\@%+&?#/:,ab1é\u00A0");
    const unit = fc.constantFrom(...characters);
    const text = fc.oneof(
      fc.string({ unit, minLength: 1, maxLength: 12 }),
      fc.string({ minLength: 1, maxLength: 20 }),
    );
    fc.assert(
      fc.property(text, text, (username, password) => {
        fc.pre(fits(as, endpoint)({ username }));
        const written = render(as, endpoint, { username, password });
        expect(read(written, as, engine)).toEqual({ shape: "form", username, password });
      }),
      { numRuns: 100 },
    );
  });
});

describe("a text that a person wrote", () => {
  it.each<[string, TextFormName, string]>([
    ["postgresql", "uri", "postgres://app:f1rst@db/shop?sslmode=require&application_name=orders"],
    ["postgresql", "uri", "postgresql://db/shop?password=f1rst&user=app"],
    ["postgresql", "jdbc", "jdbc:postgresql://db/shop?ApplicationName=x&user=app&password=f1rst"],
    ["postgresql", "ado", "Server=db;User Id=app;Password='f1rst';Pooling=true;"],
    ["postgresql", "odbc", "DSN=orders;Uid=app;Pwd={f1rst}"],
    ["postgresql", "libpq", "  user = 'app' password=f1rst connect_timeout=3"],
    ["postgresql", "sqlalchemy", "postgresql+asyncpg://app:f1rst@db/shop"],
    ["mysql", "sqlalchemy", "mariadb+mariadbconnector://app:f1rst@db/shop?charset=utf8mb4"],
    ["sqlserver", "ado", 'data source=db;uid=app;pwd="f1rst";MultipleActiveResultSets=True'],
    ["sqlserver", "jdbc", "jdbc:sqlserver://db;userName=app;password={f1rst};encrypt=strict"],
    ["sqlserver", "sqlalchemy", "mssql+pymssql://app:f1rst@db/shop"],
    ["mongodb", "uri", "mongodb+srv://app:f1rst@c.example.com/?retryWrites=true&w=majority"],
    ["redis", "uri", "redis://app:f1rst@cache/2"],
  ])("of %s as %s is read: %s", (engine, as, text) => {
    expect(read(text, as, engine, ["app"])).toEqual({ shape: "form", ...login });
  });

  it("of Redis may leave out the account named default", () => {
    const expected = { shape: "form", username: "default", password: "f1rst" };
    expect(read("rediss://:f1rst@cache:6380", "uri", "redis", ["default"])).toEqual(expected);
    expect(read("rediss://:f1rst@cache:6380", "uri", "redis", ["app"])).toBe(
      "holds a connection string of another account",
    );
  });

  it.each<[string, TextFormName, string]>([
    ["postgresql", "uri", "postgresql://app:a@db/shop?password=b"],
    ["postgresql", "ado", "Host=db;Username=app;Password=a;PWD=b"],
    ["postgresql", "ado", "Host=db;Username=app;Password={a}"],
    ["postgresql", "odbc", "Driver=x;UID=app;PWD=a%41"],
    ["postgresql", "odbc", "Driver=x;UID=app;PWD=a+b"],
    ["postgresql", "odbc", "Driver=x;UID={app};PWD=a"],
    ["postgresql", "jdbc", "jdbc:postgresql://db/shop?user=app&password=a+b"],
    ["postgresql", "libpq", 'host=db user=app password="a"'],
    ["redis", "uri", "redis://app:@cache"],
  ])("of %s as %s is not guessed: %s", (engine, as, text) => {
    expect(read(text, as, engine, ["app"])).toBe(
      "holds a connection string without exactly one account and its password",
    );
  });

  it("in another form is read as before", () => {
    const text = "Server=db;User ID=app;Password=f1rst";
    expect(read(text, "uri", "postgresql", ["app"])).toEqual({
      ...{ shape: "connection string", ...login },
    });
    expect(read(JSON.stringify(login), "uri", "postgresql")).toEqual({ shape: "json", ...login });
    expect(read("f1rst", "libpq", "postgresql", ["app"])).toEqual({ shape: "password", ...login });
  });
});

describe("the forms of a system", () => {
  it("are those that its clients share", () => {
    expect(listForms("postgresql")).toEqual(["uri", "jdbc", "ado", "odbc", "libpq", "sqlalchemy"]);
    expect(listForms("mysql")).toEqual(["jdbc", "ado", "sqlalchemy"]);
    expect(listForms("sqlserver")).toEqual(["jdbc", "ado", "odbc", "sqlalchemy"]);
    expect(listForms("mongodb")).toEqual(["uri"]);
    expect(listForms("redis")).toEqual(["uri"]);
    for (const engine of ["memory", "azure-storage", "constructor", "__proto__"]) {
      expect(listForms(engine)).toEqual([]);
    }
  });

  it("are never replaced by another one", () => {
    const credential = { account: "app", secret: new Secret("f1rst") };
    const endpoint = { engine: "mongodb", host: "db", port: 27017 };
    expect(() => renderPayload("jdbc", credential, endpoint)).toThrow("mongodb has no form jdbc");
  });
});
