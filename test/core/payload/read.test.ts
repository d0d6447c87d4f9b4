import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPayload, renderPayload } from "../../../shared/core/payload/payload.ts";
import { dialects } from "../../../shared/core/secrets/dialects.ts";
import { generatePassword, type PasswordRules } from "../../../shared/core/secrets/password.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";

/** The credential with its secret as a string, so that it can be compared. */
function read(value: string, accounts: readonly string[] = ["app"]) {
  const reading = readPayload(new Secret(value), accounts);
  if (reading.kind === "none") return reading.why;
  const { account, secret } = reading.credential;
  return [reading.shape, account, secret.reveal()];
}

const json = JSON.stringify;
const base64 = (text: string, encoding?: BufferEncoding) =>
  Buffer.from(text, encoding).toString("base64");
const credential = { username: "app", password: "first" };

describe("A credential is read from", () => {
  it.each<[string, string, string]>([
    ["JSON behind a byte-order mark", `\uFEFF${json(credential)}`, "json"],
    ["JSON with line breaks", `\n${JSON.stringify(credential, null, 2)}\r\n`, "json"],
    ["a secret of Amazon RDS", json({ ...credential, engine: "postgres", dbname: "x" }), "json"],
    ["user and pass", json({ user: "app", pass: "first" }), "json"],
    ["userName and pwd", json({ userName: "app", pwd: "first" }), "json"],
    ["Username and Password", json({ Username: "app", Password: "first" }), "json"],
    ["DB_USER and DB_PASSWORD", json({ DB_USER: "app", DB_PASSWORD: "first" }), "json"],
    ["PGUSER and PGPASSWORD", json({ PGUSER: "app", PGPASSWORD: "first" }), "json"],
    ["two names that agree", json({ ...credential, user: "app", pass: "first" }), "json"],
    ["Keyturn's names before others", json({ ...credential, pass: "of another thing" }), "json"],
    ["an object in an object", json({ data: credential }), "json"],
    ["an answer of Vault", json({ request_id: "1", data: { data: credential } }), "json"],
    ["JSON in a JSON value", json({ value: json(credential) }), "json"],
    ["JSON in a JSON value with a mark", json({ value: json({ data: credential }) }), "json"],
    [
      "a Kubernetes Secret",
      json({ kind: "Secret", apiVersion: "v1", stringData: credential }),
      "json",
    ],
    [
      "one object of two, as it names the account",
      json({ a: { username: "x", password: "y" }, b: credential }),
      "json",
    ],
    ["a URL in a JSON value", json({ url: "postgres://app:first@db/x", host: "db" }), "json"],
    ["JSON in a JSON string", json(json(credential)), "json string"],
    ["a URL", "postgres://app:first@db.example.com:5432/shop?sslmode=require", "url"],
    ["a URL with a list of hosts", "mongodb://app:first@a:27017,b:27017/x?replicaSet=r", "url"],
    ["a URL with a driver's name", "postgresql+psycopg2://app:first@db/shop", "url"],
    ["a URL with a line break behind it", "mysql://app:first@db/shop\n", "url"],
    ["a JDBC URL", "jdbc:postgresql://db/shop?user=app&password=first", "url"],
    [
      "a JDBC URL of SQL Server",
      "jdbc:sqlserver://db:1433;databaseName=x;user=app;password=first",
      "url",
    ],
    ["a libpq string", "host=db user=app password=first dbname=shop", "connection string"],
    [
      "an ADO.NET string",
      "Server=tcp:db,1433;User ID=app;Password=first;Encrypt=True;",
      "connection string",
    ],
    [
      "an ODBC string",
      "Driver={ODBC Driver 18};Server=db;UID=app;PWD={first}",
      "connection string",
    ],
    ["a password with a line break behind it", "first\r\n", "password"],
    ["a password behind a byte-order mark", "\uFEFFfirst", "password"],
  ])("%s", (_what, value, shape) => {
    expect(read(value)).toEqual([shape, "app", "first"]);
    expect(read(value, shape === "password" ? ["app"] : ["other", "app"])).toEqual([
      shape,
      "app",
      "first",
    ]);
  });

  it.each([
    ["postgres://app:p%40ss%2Fword@db/x", "p@ss/word"],
    ["postgres://app:p@ss@db/x", "p@ss"],
    ["Server=db;User ID=app;Password='a;b'';c'", "a;b';c"],
    ['Server=db;User ID=app;Password="a;b"";c"', 'a;b";c'],
    ["Server=db;User ID=app;Password=a=b c ;", "a=b c"],
    ["Driver=x;Server=db;UID=app;PWD={a;b}}c}", "a;b}c"],
    [String.raw`host=db user=app password='a b\'c\\d'`, String.raw`a b'c\d`],
    [String.raw`host=db user=app password=a\ b`, "a b"],
  ])("a connection string, without its quotation: %s", (value, password) => {
    expect(read(value)).toEqual([expect.any(String), "app", password]);
  });
});

describe("No password is guessed from", () => {
  it.each<[string, string, string]>([
    ["nothing", "", "is empty"],
    ["a line break", "\n", "is empty"],
    ["JSON without a credential", "{}", "JSON without a credential"],
    ["JSON with an unusual name", json({ username: "app", key: "first" }), "JSON without"],
    ["JSON of another account", json({ user: "other", pass: "first" }), "another account"],
    ["JSON with two passwords", json({ user: "app", pass: "first", pwd: "second" }), "exactly one"],
    ["JSON with two accounts", json({ user: "app", dbUser: "x", pass: "first" }), "exactly one"],
    ["JSON with a number", json({ username: "app", password: 1 }), "exactly one password"],
    ["two objects", json({ a: { password: "first" }, b: { password: "second" } }), "more than one"],
    [
      "a Kubernetes Secret",
      json({ kind: "Secret", apiVersion: "v1", data: { password: base64("first") } }),
      "JSON without",
    ],
    ["one value in JSON", json({ value: "first" }), "JSON without"],
    ["a JSON array", json([credential]), "a JSON array"],
    ["an empty JSON array", "[]", "a JSON array"],
    ["a JSON string", '"first"', "a JSON string"],
    ["a JSON null", "null", "a JSON value"],
    ["JSON that was cut off", '{"username":"app","password":"fir', "looks like JSON"],
    [
      "JSON with single quotation marks",
      "{'username': 'app', 'password': 'first'}",
      "looks like JSON",
    ],
    [
      "JSON that a shell escaped",
      String.raw`{\"username\":\"app\",\"password\":\"first\"}`,
      "looks like JSON",
    ],
    ["JSON that a shell stripped", "{username:app,password:first}", "looks like JSON"],
    ["JSON in quotation marks", `'${json(credential)}'`, "looks like JSON"],
    ["a PowerShell object", "@{password=first; user=app}", "looks like JSON"],
    ["Base64 of JSON", base64(json(credential)), "Base64"],
    ["Base64 of JSON in UTF-16", base64(json(credential), "utf16le"), "Base64"],
    ["Base64 of a URL", base64("postgres://app:first@db/x"), "Base64"],
    ["hexadecimal of JSON", Buffer.from(json(credential)).toString("hex"), "encoded"],
    ["JSON as a URL writes it", encodeURIComponent(json(credential)), "encoded"],
    ["a URL of another account", "postgres://other:first@db/x", "a URL of another account"],
    ["a URL without an account", "redis://:first@db", "a URL without"],
    ["a URL without a password", "postgres://app@db/x", "a URL without"],
    ["a URL whose escapes are wrong", "postgres://app:p%zz@db/x", "a URL without"],
    ["a URL that needs more escapes", "postgres://app:a@b/c@db/x", "a URL without"],
    ["a URL with a plus in its query", "jdbc:mysql://db/x?user=app&password=a+b", "a URL without"],
    ["a JDBC URL of Oracle", "jdbc:oracle:thin:app/first@//db:1521/x", "a URL without"],
    ["a connection string of another account", "Server=db;User ID=x;Password=first", "of another"],
    ["a connection string without an account", "Server=db;Password=first", "a connection string"],
    ["one with a quotation mark too few", 'Server=db;User ID=app;Password="first', "a connection"],
    ["one that drivers read differently", "Server=db;User ID=app;Password={first}", "a connection"],
    ["one with two passwords", "Server=db;User ID=app;Password=a;Pwd=b", "a connection string"],
    ["a key of a storage account", "AccountName=app;AccountKey=Zmlyc3Q=", "a connection string"],
    ["a form", "user=app&password=first", "names and values"],
    ["YAML", "username: app\npassword: first\n", "several lines"],
    ["a line of YAML", "password: first", "a name and its value"],
    ["an environment file", "DB_USER=app\nDB_PASSWORD=first\n", "several lines"],
    ["a line of an environment file", "PGPASSWORD=first", "environment file"],
    ["XML", "<login><user>app</user><password>first</password></login>", "XML"],
    ["XML with attributes", '<add name="db" connectionString="x" />', "XML"],
    ["XML with a declaration", '<?xml version="1.0"?><a>first</a>', "XML"],
    ["a PEM file", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n", "a PEM file"],
    ["several lines", "first\nsecond", "several lines"],
    ["a line of .pgpass", "db:5432:*:app:first", "a line of a password file"],
    ["an account with its password", "app:first", "an account and its password"],
    ["a log-in of SQL*Plus", "app/first@db", "an account and its password"],
    [
      "a reference",
      "@Microsoft.KeyVault(SecretUri=https://x.vault.azure.net/secrets/y)",
      "a reference",
    ],
    ["a placeholder", "${DB_PASSWORD}", "a placeholder"],
    ["another placeholder", "<your password>", "a placeholder"],
  ])("%s", (_what, value, why) => {
    const told = read(value);
    expect(told).toEqual(expect.stringContaining(why));
    expect(told).toEqual(expect.stringMatching(/^(is|holds) /));
    expect(told).not.toContain("first");
  });

  it("a bare password when the target has two accounts, or any account will do", () => {
    for (const accounts of [["app_a", "app_b"], []]) {
      expect(read("first", accounts)).toContain("a bare password");
    }
  });
});

const symbols = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ";
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const digits = "0123456789";
// Without bias: it would draw braces and quotation marks far more often than a generator does.
const drawn = (alphabet: string, length: number) =>
  fc.noBias(
    fc
      .array(fc.constantFrom(...Array.from(alphabet)), { minLength: length, maxLength: length })
      .map((characters) => characters.join("")),
  );

/** The characters from which common programs generate passwords. */
const generators: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "openssl rand -hex 20": drawn("0123456789abcdef", 40),
  "openssl rand -base64 30": fc
    .uint8Array({ minLength: 30, maxLength: 30 })
    .map((bytes) => Buffer.from(bytes).toString("base64")),
  "Secrets Manager": drawn(letters + digits + symbols.trim(), 32),
  "a password manager": drawn(letters + digits + "!@#$%^&*()-_=+[]{}<>;:,./?", 20),
  "Azure's portal": drawn(`${letters + digits}~!@#$%^&*_-+=\`|\\(){}[]:;"'<>,.?/`, 16),
  "pwgen -s": drawn(letters + digits, 16),
  "a pin pad": drawn(digits, 6),
  UUIDs: fc.uuid(),
  Diceware: fc
    .array(drawn(letters.slice(0, 26), 5), { minLength: 5, maxLength: 7 })
    .map((words) => words.join(" ")),
};

describe("A bare password stays one", () => {
  it.each(Object.entries(generators))("when it comes from %s", (_name, generator) => {
    fc.assert(
      // One in thousands is a JSON string by chance, which is ambiguous.
      fc.property(
        generator.filter((password) => !/^".*"$/.test(password)),
        (password) => {
          expect(read(password)).toEqual(["password", "app", password]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each(['{"x*4":Zd9', "{'':=q4F[", "a}b:7:z:q:Kf2", "9|Q:*:z:q:Kf2"])(
    "when it is %s",
    (password) => {
      expect(read(password)).toEqual(["password", "app", password]);
    },
  );

  const rules = fc.record<PasswordRules>({
    length: fc.integer({ min: 16, max: 128 }),
    symbols: fc.subarray(Array.from(symbols), { minLength: 1 }).map((some) => some.join("")),
    exclude: fc.constantFrom("", letters, digits, letters + digits, letters.slice(1) + digits),
    startWithLetter: fc.constant(false),
    dialects: fc.subarray([...dialects]).map((some) => some.slice(0, 1)),
  });

  it("when Keyturn generates it under any rules", () => {
    fc.assert(
      fc.property(rules, (rule) => {
        const alphabet = Array.from(letters + digits + rule.symbols);
        fc.pre(alphabet.filter((one) => !rule.exclude.includes(one)).length > 2);
        let password: string;
        try {
          password = generatePassword(rule, ["app"], randomBytes);
        } catch (error) {
          // No password satisfies some of the rules.
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        const made = { account: "app", secret: new Secret(password) };
        const { value } = renderPayload("password", made, { engine: "x", host: "x", port: 1 });
        expect(read(value.reveal())).toEqual(["password", "app", password]);
      }),
      { numRuns: 300 },
    );
  });

  it("and Keyturn generates none that looks like a JSON string", () => {
    let draws = 0;
    const rule: PasswordRules = {
      length: 16,
      symbols: '"',
      exclude: letters.slice(1) + digits,
      atLeast: { symbols: 2 },
      startWithLetter: false,
    };
    // Quotation marks at both ends at first; afterwards one inside and one at the end.
    const scripted = (count: number) => {
      if (count === 1) return Uint8Array.from([draws++ === 0 ? 1 : 0]);
      const isMark = (at: number) => at === count - 1 || (at === 3 && draws > 1);
      return Uint8Array.from({ length: count }, (_, at) => (isMark(at) ? 1 : 0));
    };
    expect(generatePassword(rule, ["app"], scripted)).toBe(`aaaa"${"a".repeat(10)}"`);
  });
});

it("Reading never throws, is fast, and finds what was rendered", () => {
  const long = [
    "[",
    '{"a":',
    "a=",
    'a=""',
    "a:",
    "'",
    "<a ",
    "user ",
    "a&",
    "x://@",
    "A",
    "%7B",
  ].map((piece) => `x${piece.repeat(25_000 / piece.length)}`);
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    drawn("{}[]<>\"'\\=;:/@ aA\n", 30),
    fc.constantFrom(...long, ...long.map((one) => one.slice(1)), `a${" ".repeat(25_000)}b`),
  );
  fc.assert(
    fc.property(text, fc.array(fc.string(), { maxLength: 2 }), (value, accounts) => {
      const reading = readPayload(new Secret(value), accounts);
      if (reading.kind === "credential" && accounts.length > 0) {
        expect(accounts).toContain(reading.credential.account);
      }
    }),
    { numRuns: 300 },
  );
});
