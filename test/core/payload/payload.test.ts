import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePayload, renderPayload } from "../../../shared/core/payload/payload.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import type { Endpoint } from "../../../shared/core/target.ts";

const endpoint: Endpoint = { engine: "postgresql", host: "db.example", port: 5432 };
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "",
    " ",
    "\ud800",
    '{"password":"x"}',
    "null",
    '"',
    "[]",
  ),
  fc.json(),
);

const parse = (value: string, accounts: readonly string[] = ["app"]) => {
  const credential = parsePayload(new Secret(value), accounts);
  return credential && [credential.account, credential.secret.reveal()];
};

describe("a JSON payload", () => {
  it("reads back as the credential it was made from", () => {
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 2 }), (account, password, others) => {
        fc.pre(account !== "" && password !== "");
        const credential = { account, secret: new Secret(password) };
        const { value, contentType } = renderPayload("json", credential, endpoint);
        expect(contentType).toBe("application/json");
        for (const accounts of [[], [account], [...others, account]]) {
          expect(parse(value.reveal(), accounts)).toEqual([account, password]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("contains the address and the account for consumers", () => {
    const credential = { account: "app", secret: new Secret("p") };
    const { value } = renderPayload("json", credential, { ...endpoint, database: "orders" });
    expect(JSON.parse(value.reveal())).toEqual({
      engine: "postgresql",
      host: "db.example",
      port: 5432,
      database: "orders",
      username: "app",
      password: "p",
    });
  });

  it("is not read as that of another account", () => {
    expect(parse('{"username":"app","password":"p"}', ["other"])).toBeUndefined();
    expect(parse('{"username":"App","password":"p"}', ["app"])).toBeUndefined();
  });

  it.each<[string, string, readonly string[], unknown]>([
    ["needs no username when there is one account", '{"password":"p"}', ["app"], ["app", "p"]],
    ["needs one when there are two", '{"password":"p"}', ["a", "b"], undefined],
    ["needs one when any account will do", '{"password":"p"}', [], undefined],
    ["may hold what we do not know", '{"x":{},"username":"app","password":"p"}', [], ["app", "p"]],
    ["may be written with room", ' {\n "password" : "p" }\n', ["app"], ["app", "p"]],
    ["is none when the password is a number", '{"password":1}', ["app"], undefined],
    ["is none when the password is null", '{"password":null}', ["app"], undefined],
    ["is none when the username is null", '{"username":null,"password":"p"}', ["app"], undefined],
    ["does not read prototypes", '{"__proto__":{"password":"p"}}', ["a", "b"], undefined],
    ["is none without a name", '{"username":"","password":"p"}', [], undefined],
    ["is none without a password", '{"username":"app","password":""}', [], undefined],
  ])("%s", (_what, value, accounts, expected) => {
    expect(parse(value, accounts)).toEqual(expected);
  });
});

describe("a bare password", () => {
  it("reads back as that of the only account, unless it is a payload itself", () => {
    const isPayload = (value: string) => parse(value)?.[1] !== value;
    fc.assert(
      fc.property(text, (password) => {
        fc.pre(password !== "" && !isPayload(password));
        const secret = new Secret(password);
        const { value, contentType } = renderPayload(
          "password",
          { account: "app", secret },
          endpoint,
        );
        expect(contentType).toBe("text/plain");
        expect(value.reveal()).toBe(password);
        expect(parse(value.reveal())).toEqual(["app", password]);
      }),
      { numRuns: 500 },
    );
  });

  it.each(["42", '{"password"', " ", "{[<", "a=b;c=d", "p://x", "null1", '"quoted', "host=x;"])(
    "may hold characters that JSON and connection strings use: %s",
    (password) => {
      expect(parse(password)).toEqual(["app", password]);
    },
  );

  it("belongs to nobody when there are more accounts, or none", () => {
    expect(parse("p", ["a", "b"])).toBeUndefined();
    expect(parse("p", [])).toBeUndefined();
  });

  it("is not empty", () => {
    expect(parse("")).toBeUndefined();
  });
});

it("text that is not a payload never causes an exception", () => {
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 3 }), (value, accounts) => {
      const credential = parsePayload(new Secret(value), accounts);
      if (credential && accounts.length > 0) expect(accounts).toContain(credential.account);
    }),
    { numRuns: 500 },
  );
});
