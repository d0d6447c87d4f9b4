import { describe, expect, test } from "vitest";
import { makeWebhook } from "../../shared/rotators/webhook/webhook.ts";
import { load, problemLines, withTarget } from "../config/written.ts";

const rotator = makeWebhook();
const url = "https://crm-adapter.example.com/keyturn";
const withOptions = (options: object, fields: object = {}) =>
  withTarget({
    type: "webhook",
    options: { url, ...options },
    admin: { secret: "crm-adapter-key", account: "keyturn" },
    ...fields,
  });
const problemsOf = (text: string) => problemLines(load(text, [rotator]));

test("an address is all that a single account needs", async () => {
  const { targets } = await load(withOptions({}), [rotator]);
  expect(targets[0]?.options).toEqual({
    ...{ url, supports: [], propagation: "0s", connection: {}, tls: {} },
  });
});

describe("the address", () => {
  test.each([
    "http://crm-adapter.example.com/keyturn",
    "http://localhost:8443/keyturn",
    "http://127.0.0.1/keyturn",
    "https://user:pass-in-the-url@crm-adapter.example.com/",
    "https://crm-adapter.example.com/keyturn?code=key-in-the-url",
    "https://crm-adapter.example.com/keyturn#part",
    "https://",
    "crm-adapter.example.com",
  ])("cannot be %s, and the message does not repeat it", async (wrong) => {
    const [problem = "", ...others] = await problemsOf(withOptions({ url: wrong }));
    expect(others).toEqual([]);
    expect(problem).toContain("targets.orders.options.url: must begin with https://");
    expect(problem).not.toMatch(/in-the-url|127\.0\.0\.1|localhost/);
  });

  test.each([
    [url, "crm-adapter.example.com", 443],
    ["https://[::1]:8443/", "::1", 8443],
    ["https://10.0.0.4:9443", "10.0.0.4", 9443],
  ])("%s leads to %s, port %i", (address, host, port) => {
    const options = rotator.options.parse({ url: address });
    expect(rotator.endpoint(options)).toEqual({ engine: "webhook", host, port });
  });
});

test("two paths of a host are two systems, and one address is one", async () => {
  const other = (path: string) => `
  other:
    type: webhook
    options: { url: "https://CRM-adapter.example.com:443${path}" }
    accounts: [app]
    admin: { secret: crm-adapter-key, account: keyturn }
    publish: other-db
`;
  const one = withOptions({});
  const text = (path: string) => one.replace(/^targets:\n/m, `targets:${other(path)}`);
  expect(await problemsOf(text("/second"))).toEqual([]);
  expect((await problemsOf(text("/keyturn"))).join()).toContain("is already rotated by target");
});

describe("what the endpoint does not support", () => {
  test("a pair needs an endpoint with retire", async () => {
    const pair = { accounts: ["app_a", "app_b"] };
    expect((await problemsOf(withOptions({}, pair))).join()).toContain(
      "targets.orders.accounts: must be one account: options.supports does not list retire. Add it if the endpoint implements it",
    );
    expect(await problemsOf(withOptions({ supports: ["retire"] }, pair))).toEqual([]);
  });

  test("retire: proof needs an endpoint with hasSessions", async () => {
    const proof = {
      accounts: ["app_a", "app_b"],
      overrides: { retire: "proof", reason: "slow consumers" },
    };
    expect((await problemsOf(withOptions({ supports: ["retire"] }, proof))).join()).toContain(
      "options.supports does not list hasSessions. Add it if the endpoint implements it. Replace retire: proof with retire: grace",
    );
    expect(await problemsOf(withOptions({ supports: ["retire", "hasSessions"] }, proof))).toEqual(
      [],
    );
  });

  test.each(["self", "managed-identity"])("admin: %s is rejected", async (authority) => {
    expect((await problemsOf(withOptions({}, { admin: authority }))).join()).toContain(
      "admin: is not supported for webhook; use { secret: … }",
    );
  });

  test("the key cannot be the secret that consumers read", async () => {
    const same = { admin: { secret: "orders-db", account: "keyturn" } };
    expect((await problemsOf(withOptions({}, same))).join()).toContain(
      "is the secret that this target publishes",
    );
  });
});

test.each([
  ["30s", 30_000],
  ["0s", 0],
  ["1h", 3_600_000],
])("a propagation of %s lasts %i ms", (propagation, expected) => {
  const options = rotator.options.parse({ url, propagation });
  expect(rotator.findPropagation?.(options)).toBe(expected);
});

test.each(["61m", "2h", "1d", "soon", "30"])(
  "a propagation of %s is rejected",
  async (propagation) => {
    expect((await problemsOf(withOptions({ propagation }))).join()).toContain(
      "options.propagation: must be a duration such as 30s or 5m, at most 1h",
    );
  },
);

test.each(["username", "Password", "", "with space", "1st"])(
  "a connection cannot have the key %j",
  async (key) => {
    expect(await problemsOf(withOptions({ connection: { [key]: "x" } }))).toHaveLength(1);
  },
);
