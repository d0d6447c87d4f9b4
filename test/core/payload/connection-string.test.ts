import { createClient } from "@redis/client";
import fc from "fast-check";
import { MongoClient } from "mongodb";
import mssql from "mssql";
import { type ConnectionOptions, createPool } from "mysql2";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { parseConnectionString } from "../../../shared/core/payload/connection-string.ts";
import { setFields } from "../../../shared/core/payload/field.ts";

interface Read {
  readonly account: string | undefined;
  readonly password: string | undefined;
}

function ours(text: string): Read {
  const { account, password } = parseConnectionString(text) ?? {};
  return { account: account?.value, password: password?.value };
}

function withCredential(text: string, account: string, password: string): string {
  const fields = parseConnectionString(text);
  if (!fields?.account || !fields.password) throw new Error("there is no credential in the text");
  return setFields(text, [
    [fields.account, account],
    [fields.password, password],
  ]);
}

const byPg = (text: string): Read => {
  const client = new pg.Client({ connectionString: text });
  return { account: client.user, password: client.password ?? undefined };
};
const byMongo = (text: string): Read => {
  const { credentials } = new MongoClient(text).options;
  return { account: credentials?.username, password: credentials?.password };
};
const byRedis = (text: string): Read => {
  const { username, password } = createClient({ url: text }).options;
  return { account: username, password };
};
const byMysql = (text: string): Read => {
  // A pool connects with its first query only.
  const { config } = createPool(text);
  const { user, password } = (config as { connectionConfig: ConnectionOptions }).connectionConfig;
  return { account: user, password };
};
const bySqlServer = (text: string): Read => {
  const { user, password } = mssql.ConnectionPool.parseConnectionString(text);
  return { account: user, password };
};

/** Texts with a credential, and how their driver reads them. */
const texts: readonly (readonly [string, (text: string) => Read])[] = [
  ["postgres://app:first@db.example.com:5432/shop?sslmode=disable", byPg],
  ["postgresql://app:p%40ss@db/app", byPg],
  ["postgres://db/shop?user=app&password=first", byPg],
  ["mongodb://app:first@a.example.com:27017,b.example.com:27017/shop?replicaSet=r", byMongo],
  ["mongodb://app:p%40ss%3A@a/?authSource=admin", byMongo],
  ["redis://app:first@cache.example.com:6379/0", byRedis],
  ["rediss://app:p%40ss@cache", byRedis],
  ["mysql://app:first@db.example.com:3306/shop", byMysql],
  ["mysql://app:p%40ss%3A@db/app", byMysql],
  ["Server=db;Database=shop;User ID=app;Password=first;", bySqlServer],
  ["Data Source=tcp:db,1433;Initial Catalog=app;UID=app;PWD=first", bySqlServer],
  ['Server=db;User Id=\'app\';Password="f;i""rst";Encrypt=true', bySqlServer],
];

const word = fc.string({ minLength: 1 }).filter((text) => text.trim() === text);
/** SQL Server's drivers read the text before a backslash in the account as a domain. */
const name = word.filter((text) => !text.includes("\\"));

describe.each(texts)("%s", (text, theirs) => {
  it("is read as its driver reads it", () => {
    expect(ours(text)).toEqual(theirs(text));
  });

  it("is read by its driver as it was written, whatever the credential is", () => {
    fc.assert(
      fc.property(name, word, (account, password) => {
        const written = withCredential(text, account, password);
        expect(theirs(written)).toEqual({ account, password });
        expect(ours(written)).toEqual({ account, password });
      }),
      { numRuns: 200 },
    );
  });
});

it.each([
  "host=db user=app password=first dbname=shop",
  String.raw`host = db user = 'app' password='f\'i rst'`,
  "Driver={ODBC Driver 18 for SQL Server};Server=db;UID=app;PWD={f;i}}rst};",
  "jdbc:sqlserver://db:1433;databaseName=shop;user=app;password={f;irst};encrypt=true",
  "jdbc:mysql://db:3306/shop?user=app&password=first&useSSL=true",
])("What is written into a connection string is read from it: %s", (text) => {
  fc.assert(
    fc.property(name, word, (account, password) => {
      expect(ours(withCredential(text, account, password))).toEqual({ account, password });
    }),
  );
  const { account = "", password = "" } = ours(text);
  expect(withCredential(text, account, password).length).toBeGreaterThan(20);
});

it("A URL for the driver of MariaDB has no escapes", () => {
  const text = (password: string) => `jdbc:mariadb://db:3306/shop?user=app&password=${password}`;
  expect(ours(text("f$rst@"))).toEqual({ account: "app", password: "f$rst@" });
  expect(withCredential(text("first"), "app", "s3c$nd@")).toBe(text("s3c$nd@"));
  // A person may have encoded it nevertheless, which makes it the password of nobody.
  expect(ours(text("f%40rst"))).toEqual({ account: "app", password: undefined });
});

it("A text with one or two names is not a connection string", () => {
  for (const text of ["first", "a=b;c=d", "user=app", "host=x", "a=1 b=2", "x;y;z", ""]) {
    expect(parseConnectionString(text)).toBeUndefined();
  }
});
