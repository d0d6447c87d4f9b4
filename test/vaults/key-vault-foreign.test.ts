import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectNoTrace, failure } from "../../conformance/errors.ts";
import { ConfigError, VaultUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeKeyVault } from "../../shared/vaults/key-vault.ts";
import { isOwnAnswer } from "../../shared/vaults/key-vault-answers.ts";
import type { Vault } from "../../shared/vaults/vault.ts";
import {
  type Answer,
  bundle,
  htmlPage,
  refusal,
  type ScriptedVault,
  startScriptedVault,
} from "./scripted-vault.ts";

const value = "OnlyLettersSoThatItCouldPassForACode";
const token = "LiveToken";
const signal = new AbortController().signal;
const content = { value: new Secret(value), contentType: "", tags: {} };
const ref = { vault: "main", name: "orders", version: "0".repeat(32) };
const credential = {
  getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
};

let server: ScriptedVault;
let vault: Vault;

beforeAll(async () => {
  server = await startScriptedVault(({ path }) => bundle(path));
});
beforeEach(() => {
  server.requests.length = 0;
  server.script = ({ path }) => bundle(path);
  vault = makeKeyVault({ name: "main", url: server.url, credential });
});
afterAll(() => server.close());

const calls = {
  readCurrent: () => vault.readCurrent("orders", signal),
  readVersion: () => vault.readVersion(ref, signal),
  listVersions: () => vault.listVersions("orders", signal),
  write: () => vault.write("orders", content, signal),
  disable: () => vault.disable(ref, signal),
};

const json = (status: number, body: unknown, contentType = "application/json"): Answer => ({
  status,
  headers: { "content-type": contentType },
  json: body,
});
const notFound = { code: "SecretNotFound", message: "A secret with (name/id) orders …" };

const foreign: [string, Answer][] = [
  ["a gateway's 404 page", htmlPage(404)],
  ["an empty 404", { status: 404, headers: { "content-type": "application/json" }, text: "" }],
  ["a 404 of an API gateway", json(404, { statusCode: 404, message: "Resource not found" })],
  ["a 404 that has the code in another place", json(404, notFound)],
  ["a 404 without a message", json(404, { error: { code: "SecretNotFound" } })],
  [
    "a 404 with the code as a list",
    json(404, { error: { ...notFound, code: ["SecretNotFound"] } }),
  ],
  ["Key Vault's words on a page of HTML", json(404, { error: notFound }, "text/html")],
  ["half of Key Vault's words", { status: 404, text: '{"error":{"code":"SecretNotFound"' }],
  ["a captive portal's page", htmlPage(200)],
  ["JSON of something else", json(200, { status: "ok" })],
  ["a list of something else", json(200, [])],
  ["a secret without an id", json(200, { value: "x", attributes: { created: 1 } })],
  ["a redirect to a page to log in at", { status: 302, headers: { location: "/login" } }],
  ["a proxy's 400", htmlPage(400)],
  ["a proxy's 401", htmlPage(401)],
  ["a web application firewall's 403", htmlPage(403)],
  ["a 403 of another API", json(403, { message: "Forbidden" })],
  ["a proxy's 407", htmlPage(407)],
  ["a 409 of another API", json(409, { title: "Conflict" })],
  ["a 410", htmlPage(410)],
];

async function complaint(attempt: Promise<unknown>): Promise<string> {
  const error = await failure(attempt);
  expect(error).toBeInstanceOf(VaultUnavailableError);
  expectNoTrace(error, [value, token]);
  return error.message;
}

describe("an answer that is not Key Vault's own proves nothing:", () => {
  it.each(foreign)("%s", async (_, answer) => {
    server.script = () => answer;
    for (const call of Object.values(calls)) {
      const message = await complaint(call());
      expect(message).toMatch(/not from Key Vault.*private DNS/);
      expect(message).toMatch(new RegExp(`Key Vault main, .*orders.*HTTP ${answer.status}`));
    }
  });

  it.each(foreign)("no value is sent where the first answer is %s", async (_, answer) => {
    server.script = () => answer;
    await complaint(calls.write());
    await complaint(calls.disable());
    expect(server.requests.filter(({ body }) => body !== "")).toEqual([]);
  });

  it("a gateway's 502 page, even if it is repeated", async () => {
    server.script = () => ({ ...htmlPage(502), headers: { "retry-after": "0" } });
    expect(await complaint(calls.readCurrent())).toMatch(/not from Key Vault.*HTTP 502/);
    expect(server.requests.length).toBeGreaterThan(2);
  });

  it("a gateway that answers for a moment causes another try", async () => {
    let asked = 0;
    server.script = ({ path }) =>
      ++asked < 2 ? { ...htmlPage(503), headers: { "retry-after": "0" } } : bundle(path);
    expect(await calls.readCurrent()).toMatchObject({ ref: { name: "orders" } });
  });

  it("a page of a list, after one that was Key Vault's own", async () => {
    const { json: version } = bundle("/secrets/orders/versions");
    const nextLink = `${server.url}/secrets/orders/versions?api-version=7.6&$skiptoken=x`;
    server.script = ({ path }) =>
      path.includes("skiptoken") ? htmlPage(404) : json(200, { value: [version], nextLink });
    expect(await complaint(calls.listVersions())).toMatch(/not from Key Vault.*HTTP 404/);
  });

  it.each(["http://gateway.example/next", "https://kv.vault.azure.net/next"])(
    "a list that goes on at %s, where no token is sent",
    async (nextLink) => {
      const { json: version } = bundle("/secrets/orders/versions");
      server.script = () => json(200, { value: [version], nextLink });
      expect(await complaint(calls.listVersions())).toMatch(/not from Key Vault/);
    },
  );
});

describe("Key Vault's own answer", () => {
  it.each([
    [404, "VaultNotFound", /the vault does not exist/],
    [404, "NotFound", /does not name the secret/],
    [404, "KeyNotFound", /does not name the secret/],
    [409, "Conflict", /another operation/],
  ] as const)("%s %s is not one about an absent secret", async (status, code, sentence) => {
    server.script = () => refusal(status, code);
    for (const call of ["readCurrent", "readVersion", "listVersions"] as const) {
      expect(await complaint(calls[call]())).toMatch(sentence);
    }
    server.script = ({ method, path }) => (method === "GET" ? bundle(path) : refusal(status, code));
    expect(await complaint(calls.disable())).toMatch(sentence);
  });

  it("means absent only when it says that the secret does not exist", async () => {
    server.script = () => refusal(404, "SecretNotFound");
    expect(await calls.readCurrent()).toBe("absent");
    expect(await calls.readVersion()).toBe("absent");
    expect(await calls.listVersions()).toEqual([]);
    await calls.disable();
  });

  it.each([
    ["status 404", refusal(404, "Forbidden", "SecretDisabled")],
    ["status 409", refusal(409, "Conflict", "SecretDisabled")],
  ])("SecretDisabled with %s does not mean disabled", async (_, answer) => {
    server.script = () => answer;
    await complaint(calls.readCurrent());
  });

  it.each([
    ["ObjectIsDeletedButRecoverable", /was deleted.*Recover or purge it/],
    ["ObjectIsBeingDeleted", /being deleted/],
    ["ObjectIsBeingRecovered", /being recovered/],
  ])("409 %s to a write says what a person can do", async (innerCode, sentence) => {
    server.script = ({ method, path }) =>
      method === "PUT" ? refusal(409, "Conflict", innerCode) : bundle(path);
    expect(await complaint(calls.write())).toMatch(sentence);
  });

  it.each(Object.keys(calls))("about another secret is no answer to %s", async (call) => {
    const other = bundle("/secrets/invoices");
    server.script = ({ path }) =>
      path.includes("/versions") ? json(200, { value: [other.json] }) : other;
    const attempt = Object.entries(calls).find(([name]) => name === call)?.[1];
    expect(await complaint(attempt?.() ?? Promise.resolve())).toMatch(/about another secret/);
  });

  it("may spell the name in another case", async () => {
    server.script = () => bundle("/secrets/ORDERS");
    expect(await calls.readCurrent()).toMatchObject({ ref: { name: "orders" } });
    await calls.disable();
  });

  it("without a version is incomplete", async () => {
    for (const id of [
      "https://kv.vault.azure.net/secrets/orders",
      "https://kv.vault.azure.net/secrets/orders/",
    ]) {
      server.script = ({ path }) => bundle(path, { id });
      expect(await complaint(calls.readCurrent())).toMatch(/lacks a field/);
    }
  });

  it.each(["https://kv.vault.azure.net", "https://kv.vault.azure.net/keys/orders/0"])(
    "with the id %s is not one about a secret",
    async (id) => {
      server.script = ({ path }) => bundle(path, { id });
      await complaint(calls.readCurrent());
    },
  );
});

describe("the check whether an absent secret was deleted", () => {
  const lookUps = () => server.requests.filter(({ path }) => path.startsWith("/deletedsecrets/"));
  const answerLookUp = (answer: Answer) => {
    server.script = ({ path }) =>
      path.startsWith("/deletedsecrets/") ? answer : refusal(404, "SecretNotFound");
  };
  const reads = ["readCurrent", "readVersion"] as const;

  it.each(reads)("is made once, and only after %s found nothing", async (read) => {
    await calls[read]();
    expect(lookUps()).toEqual([]);
    answerLookUp(bundle("/deletedsecrets/orders"));
    expect(await calls[read]()).toBe("deleted");
    expect(lookUps()).toHaveLength(1);
  });

  it.each([
    ["Key Vault has no such deleted secret", refusal(404, "SecretNotFound")],
    ["Keyturn lacks the data action", refusal(403, "Forbidden", "ForbiddenByRbac")],
    ["Keyturn lacks the access policy", refusal(403, "Forbidden", "AccessDenied")],
  ])("stays open when %s", async (_, answer) => {
    answerLookUp(answer);
    for (const read of reads) expect(await calls[read]()).toBe("absent");
  });

  it.each([
    ["a gateway's 404 page", htmlPage(404)],
    ["a firewall's 403 page", htmlPage(403)],
    ["a 403 of the vault's network rules", refusal(403, "Forbidden", "ForbiddenByFirewall")],
    ["another 404", refusal(404, "VaultNotFound")],
    ["a 400", refusal(400, "BadParameter")],
    ["a 409", refusal(409, "Conflict", "ObjectIsBeingRecovered")],
    ["a captive portal's page", htmlPage(200)],
    ["a secret of another name", bundle("/deletedsecrets/invoices")],
  ])("is not learnt from %s", async (_, answer) => {
    answerLookUp(answer);
    for (const read of reads) {
      const error = await failure(calls[read]());
      expect(error).not.toBeInstanceOf(ConfigError);
      expect(error).toBeInstanceOf(VaultUnavailableError);
      expect(error.message).toMatch(/look for deleted orders/);
    }
  });

  it("is not made for a disabled version", async () => {
    server.script = () => refusal(403, "Forbidden", "SecretDisabled");
    for (const read of reads) expect(await calls[read]()).toBe("disabled");
    expect(lookUps()).toEqual([]);
  });
});

describe("the shape of Key Vault's answers", () => {
  const own = { status: 404, body: JSON.stringify({ error: notFound }) };

  it.each([
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON;charset=UTF-8",
  ])("comes as %s", (contentType) => {
    expect(isOwnAnswer({ ...own, contentType })).toBe(true);
  });

  it.each([
    "",
    "text/html",
    "text/plain",
    "application/problem+json",
    "application/jsonp",
    "x; application/json",
  ])("never comes as %j", (contentType) => {
    expect(isOwnAnswer({ ...own, contentType })).toBe(false);
  });
});
