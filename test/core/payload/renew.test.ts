import { describe, expect, it } from "vitest";
import { type Case, credential, merged, mergedJson, newPassword, oldPassword } from "./merged.ts";

describe("another value that holds the credential", () => {
  const withValue = (value: unknown, given: Case = {}, name = "extra") =>
    merged({ ...credential, username: given.accounts?.[0] ?? "app", [name]: value }, given);
  const pair = { accounts: ["app_a", "app_b"], account: "app_b" };

  it.each<[string, unknown, unknown]>([
    ["the password alone", oldPassword, newPassword],
    [
      "a URL",
      `postgres://app:${oldPassword}@db:5432/app?x=1`,
      `postgres://app:${newPassword}@db:5432/app?x=1`,
    ],
    [
      "a JDBC URL",
      `jdbc:postgresql://db/app?user=app&password=${oldPassword}`,
      `jdbc:postgresql://db/app?user=app&password=${newPassword}`,
    ],
    [
      "an ADO.NET string",
      `Server=db;User ID=app;Password=${oldPassword};`,
      `Server=db;User ID=app;Password=${newPassword};`,
    ],
    [
      "a libpq string",
      `host=db user=app password=${oldPassword} dbname=app`,
      `host=db user=app password=${newPassword} dbname=app`,
    ],
    ["some other text", `login app / ${oldPassword}`, `login app / ${newPassword}`],
    ["an object", { deep: [{ pass: oldPassword }] }, { deep: [{ pass: newPassword }] }],
    [
      "JSON in a text",
      JSON.stringify({ pass: oldPassword }),
      JSON.stringify({ pass: newPassword }),
    ],
  ])("is updated: %s", (_what, value, expected) => {
    const { text, notes } = withValue(value);
    expect(JSON.parse(text)).toHaveProperty("extra", expected);
    expect(notes).toEqual([]);
  });

  it.each<[string, unknown, unknown]>([
    [
      "a URL, whose database has the same name",
      `postgres://app_a:${oldPassword}@app_a.example.com/app_a`,
      `postgres://app_b:${newPassword}@app_a.example.com/app_a`,
    ],
    [
      "an ADO.NET string",
      `Server=app_a;User ID=app_a;Password=${oldPassword}`,
      `Server=app_a;User ID=app_b;Password=${newPassword}`,
    ],
    ["some other text", `login app_a / ${oldPassword}`, `login app_b / ${newPassword}`],
  ])("is updated with the account of a pair: %s", (_what, value, expected) => {
    const { text, notes } = withValue(value, pair);
    expect(JSON.parse(text)).toHaveProperty("extra", expected);
    expect(notes).toEqual([]);
  });

  it("is updated under the usual other names, however short the password is", () => {
    const previous = {
      username: "app_a",
      password: "pw",
      DB_USER: "app_a",
      pass: "pw",
      note: "pw",
    };
    const { text, notes } = merged(previous, pair);
    expect(JSON.parse(text)).toMatchObject({ DB_USER: "app_b", pass: newPassword, note: "pw" });
    expect(notes).toEqual([expect.stringContaining("note")]);
  });

  it("is encoded as it was before", () => {
    const [before, after] = ["p@ss w0rd/+", "n€w&p@ss=1;"];
    const previous = {
      username: "app",
      password: before,
      url: `redis://:${encodeURIComponent(before)}@cache`,
      text: `the password is ${before}`,
      odbc: `Driver={X};Server=db;UID=app;PWD={${before}}`,
    };
    expect(mergedJson(previous, { password: after })).toMatchObject({
      url: `redis://:${encodeURIComponent(after)}@cache`,
      text: `the password is ${after}`,
      odbc: `Driver={X};Server=db;UID=app;PWD={${after}}`,
    });
  });

  it.each<[string, unknown, Case]>([
    ["in Base64", Buffer.from(`app:${oldPassword}`).toString("base64"), {}],
    ["in hexadecimal", Buffer.from(oldPassword).toString("hex"), {}],
    [
      "in a text that names the account more than once",
      `app_a logs in to app_a with ${oldPassword}`,
      pair,
    ],
    [
      "in a text that could need an encoding",
      `see x?p=${oldPassword}`,
      { password: "n€w&p@ss=1;" },
    ],
    ["as the account alone", "owner: app_a", pair],
    ["in a URL of another account", `postgres://other:${oldPassword}@db`, {}],
  ])(
    "is left alone and reported when it is not certain how to update it: %s",
    (_what, value, given) => {
      const { text, notes } = withValue(value, given);
      expect(JSON.parse(text)).toHaveProperty("extra", value);
      expect(notes).toEqual([expect.stringMatching(/^extra still holds/)]);
      expect(notes.join()).not.toContain(oldPassword);
    },
  );

  it("is not confused with a common word that is the password", () => {
    const previous = {
      username: "postgres",
      password: "postgres",
      url: "postgres://db.example.com/postgres",
      schema: "postgres",
    };
    const { text } = merged(previous, { account: "postgres" });
    expect(JSON.parse(text)).toMatchObject({
      password: newPassword,
      url: previous.url,
      schema: "postgres",
    });
  });
});
