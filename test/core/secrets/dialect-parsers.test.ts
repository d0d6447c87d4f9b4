import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { parseEnv } from "node:util";
import { createClient } from "@redis/client";
import { MongoClient } from "mongodb";
import { ConnectionString } from "mongodb-connection-string-url";
import mssql from "mssql";
import { type ConnectionOptions, createPool } from "mysql2";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { type Dialect, dialects } from "../../../shared/core/secrets/dialects.ts";
import {
  defaultPasswordRules,
  generatePassword,
  type PasswordRules,
} from "../../../shared/core/secrets/password.ts";

interface Reader {
  readonly dialect: Dialect;
  readonly by: string;
  /** Writes the password unquoted, as a person does, and reads it back. */
  readonly read: (password: string) => unknown;
}

/** The class of its clients reads the option `url` with this function. */
const redis = createClient().constructor as unknown as {
  parseURL(url: string): { readonly password?: string };
};

const readers: readonly Reader[] = [
  {
    dialect: "uri",
    by: "pg",
    read: (password) =>
      new pg.Client({ connectionString: `postgres://app:${password}@db.example:5432/shop` })
        .password,
  },
  {
    dialect: "uri",
    by: "pg, in the query",
    read: (password) =>
      new pg.Client({
        connectionString: `postgres://db.example/shop?user=app&password=${password}`,
      }).password,
  },
  {
    dialect: "uri",
    by: "mysql2",
    read: (password) => {
      // A pool connects with its first query only.
      const { config } = createPool(`mysql://app:${password}@db.example:3306/shop`);
      return (config as { connectionConfig: ConnectionOptions }).connectionConfig.password;
    },
  },
  {
    dialect: "uri",
    by: "mongodb-connection-string-url",
    read: (password) =>
      new ConnectionString(`mongodb://app:${password}@a.example:27017,b.example/shop`).password,
  },
  {
    dialect: "uri",
    by: "mongodb",
    read: (password) =>
      new MongoClient(`mongodb://app:${password}@a.example/shop`).options.credentials?.password,
  },
  {
    dialect: "uri",
    by: "@redis/client",
    read: (password) => redis.parseURL(`rediss://app:${password}@cache.example:6380/0`).password,
  },
  {
    dialect: "uri",
    by: "the URL of the platform",
    read: (password) => new URL(`redis://app:${password}@cache.example:6379`).password,
  },
  {
    dialect: "ado",
    by: "mssql",
    read: (password) =>
      mssql.ConnectionPool.parseConnectionString(
        `Server=db.example,1433;Database=shop;User Id=app;Password=${password};Encrypt=true`,
      ).password,
  },
  {
    dialect: "yaml",
    by: "yaml",
    read: (password) =>
      (parseYaml(`password: ${password}\nnext: 1`) as { password: unknown }).password,
  },
  {
    dialect: "yaml",
    by: "yaml, in a flow map",
    read: (password) =>
      (parseYaml(`{ password: ${password}, next: 1 }`) as { password: unknown }).password,
  },
  {
    dialect: "json",
    by: "the JSON of the platform",
    read: (password) => JSON.parse(`"${password}"`) as unknown,
  },
  {
    dialect: "env",
    by: "parseEnv of Node",
    read: (password) => parseEnv(`PASSWORD=${password}\nNEXT=1`)["PASSWORD"],
  },
];

const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/** Policies whose passwords have as much punctuation as the dialect allows. */
const policies: readonly PasswordRules[] = [
  defaultPasswordRules,
  { length: 16, symbols: punctuation, exclude: "" },
  { length: 64, symbols: punctuation, exclude: "", startWithLetter: false },
  { length: 128, symbols: punctuation, exclude: "abcdefgh", noLookAlikes: true },
];

function seeded(seed: string): (count: number) => Uint8Array {
  let block = 0;
  return (count) => {
    const blocks = Array.from({ length: Math.ceil(count / 64) }, () =>
      createHash("sha512").update(`${seed}/${block++}`).digest(),
    );
    return Buffer.concat(blocks).subarray(0, count);
  };
}

const draws = 250;
const draw = (dialect: Dialect, count: number) =>
  policies.flatMap((rules, index) => {
    const bytes = seeded(`${dialect} ${index}`);
    const fit = { ...rules, dialects: [dialect] };
    return Array.from({ length: count }, () => generatePassword(fit, ["app"], bytes));
  });

describe("a generated password, written without quotes or encoding", () => {
  it.each(readers)("for $dialect comes back as it is from $by", ({ dialect, read }) => {
    for (const password of draw(dialect, draws)) expect(read(password)).toBe(password);
  });

  it("for shell comes back as it is from a POSIX shell", () => {
    const all = draw("shell", 100);
    const printed = execFileSync("sh", ["-c", `printf '%s\\n' ${all.join(" ")}`], {
      encoding: "utf8",
    });
    expect(printed.split("\n").slice(0, -1)).toEqual(all);
  });

  /** No parser of these is among the dependencies. */
  const withoutParser: readonly Dialect[] = ["odbc", "jdbc", "libpq"];

  it("is read by a parser of every other dialect", () => {
    const read = new Set<Dialect>([...readers.map(({ dialect }) => dialect), "shell"]);
    expect(dialects.filter((dialect) => !read.has(dialect))).toEqual(withoutParser);
  });

  it.each(readers)("for no dialect does not always come back from $by", ({ read }) => {
    const isRead = (password: string) => {
      try {
        return read(password) === password;
      } catch {
        return false;
      }
    };
    const bytes = seeded("none");
    const rules = { length: 64, symbols: punctuation, exclude: "", startWithLetter: false };
    const all = Array.from({ length: 200 }, () => generatePassword(rules, ["app"], bytes));
    expect(all.every(isRead)).toBe(false);
  });
});
