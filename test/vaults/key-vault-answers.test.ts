import { SecretClient } from "@azure/keyvault-secrets";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectNoTrace, failure } from "../../conformance/errors.ts";
import { ConfigError, VaultUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeKeyVault } from "../../shared/vaults/key-vault.ts";
import type { Vault } from "../../shared/vaults/vault.ts";
import { readable } from "../contract/vaults/vault.suite.ts";
import { bundle, refusal, type ScriptedVault, startScriptedVault } from "./scripted-vault.ts";

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
  server.lax = false;
  server.script = ({ path }) => bundle(path);
  vault = makeKeyVault({ name: "main", url: server.url, credential });
});
afterAll(() => server.close());

async function complaint(attempt: Promise<unknown>, kind: new (m: string) => Error) {
  const error = await failure(attempt);
  expect(error).toBeInstanceOf(kind);
  expectNoTrace(error, [value, token]);
  return error.message;
}

describe("a request to Key Vault", () => {
  it("contains the whole content of a version and inherits nothing", async () => {
    await vault.write("orders", { ...content, expiresAt: "2030-01-01T00:00:00.500Z" }, signal);
    const put = server.requests.find(({ method, token }) => method === "PUT" && token);
    expect(JSON.parse(put?.body ?? "")).toEqual({
      value,
      contentType: "",
      tags: {},
      attributes: { enabled: true, exp: 1_893_456_000 },
    });
  });

  it("contains only the new state when a version is disabled", async () => {
    await vault.disable(ref, signal);
    const patch = server.requests.find(({ method, token }) => method === "PATCH" && token);
    expect(patch?.path).toMatch(new RegExp(`^/secrets/orders/${ref.version}[?]`));
    expect(JSON.parse(patch?.body ?? "")).toEqual({ attributes: { enabled: false } });
  });
});

describe("values before there is a token", () => {
  const bare = () => server.requests.filter(({ token }) => token === undefined);

  it("are not sent, however many calls a cold start begins with", async () => {
    await Promise.all([
      ...Array.from("abcde").map((name) => vault.write(name, content, signal)),
      vault.disable(ref, signal),
      vault.readCurrent("orders", signal),
      ...Array.from("fgh").map((name) => vault.write(name, content, signal)),
    ]);
    expect(bare().length).toBeGreaterThan(0);
    expect(bare().filter(({ body }) => body !== "")).toEqual([]);
    const written = server.requests.filter(({ body }) => body.includes(value));
    expect(written.map(({ path }) => path[9]).sort()).toEqual(Array.from("abcdefgh"));
  });

  it("would be sent by the client if it were left alone", async () => {
    const alone = new SecretClient(server.url, credential, {
      allowInsecureConnection: true,
      disableChallengeResourceVerification: true,
    });
    await Promise.all([alone.setSecret("a", value), alone.setSecret("b", value)]);
    expect(bare().filter(({ body }) => body !== "")).toHaveLength(1);
  });

  it("are not sent when the first call of a client failed", async () => {
    server.lax = true;
    server.script = ({ token }) => (token === undefined ? "hang" : bundle("/secrets/orders"));
    const caller = new AbortController();
    const first = failure(vault.readCurrent("orders", caller.signal));
    await expect.poll(() => server.requests.length, { timeout: 4_000 }).toBe(1);
    caller.abort();
    await first;
    server.lax = false;
    await vault.write("orders", content, signal);
    expect(bare().filter(({ body }) => body !== "")).toEqual([]);
  });

  it("are not sent when the server does not request a token", async () => {
    server.lax = true;
    await complaint(vault.write("orders", content, signal), VaultUnavailableError);
    await complaint(vault.disable(ref, signal), VaultUnavailableError);
    expect(server.requests.filter(({ body }) => body !== "")).toEqual([]);
  });

  it("are not sent elsewhere by a redirect", async () => {
    server.script = ({ method, path }) =>
      method === "PUT" && path.startsWith("/secrets/")
        ? { status: 307, headers: { location: `${server.url}/elsewhere` } }
        : bundle(path);
    const message = await complaint(vault.write("orders", content, signal), VaultUnavailableError);
    expect(message).toMatch(/HTTP 307/);
    expect(server.requests.filter(({ path }) => path.startsWith("/elsewhere"))).toEqual([]);
  });
});

describe("an answer of Key Vault", () => {
  const calls = {
    read: () => vault.readCurrent("orders", signal),
    write: () => vault.write("orders", content, signal),
    disable: () => vault.disable(ref, signal),
  };

  it.each([
    ["read", "ForbiddenByRbac", /data action .*secrets\/getSecret\/action.*Secrets Officer/],
    ["write", "ForbiddenByRbac", /data action .*secrets\/setSecret\/action.*Secrets Officer/],
    ["disable", "ForbiddenByRbac", /data action .*secrets\/update\/action.*Secrets Officer/],
    ["write", "AccessDenied", /access policies: set/],
    ["read", "ForbiddenByFirewall", /network rules/],
    ["write", "ForbiddenByConnection", /network rules/],
  ] as const)("403 to a %s (%s) names what is missing", async (call, innerCode, sentence) => {
    server.script = () => refusal(403, "Forbidden", innerCode);
    const message = await complaint(calls[call](), VaultUnavailableError);
    expect(message).toMatch(sentence);
    const facts = `(HTTP 403, Forbidden, ${innerCode}, request 0f8fad5b-d9cb-469f-a165-70867728950e)`;
    expect(message).toContain(facts);
    expect(message).toContain("Key Vault main");
    expect(message).toContain("orders");
  });

  it("403 to a warm-up without the right to read does not stop a writer", async () => {
    server.script = ({ method, path }) =>
      method === "GET" ? refusal(403, "Forbidden", "ForbiddenByRbac") : bundle(path);
    expect(await vault.write("orders", content, signal)).toMatchObject({ name: "orders" });
  });

  it("400 is a mistake of Keyturn", async () => {
    server.script = () => refusal(400, "BadParameter");
    for (const call of Object.values(calls)) {
      if (call !== calls.write) expect(await complaint(call(), ConfigError)).toMatch(/HTTP 400/);
    }
    server.script = ({ method, path }) =>
      method === "PUT" ? refusal(400, "BadParameter") : bundle(path);
    expect(await complaint(calls.write(), ConfigError)).toMatch(/HTTP 400, BadParameter/);
  });

  it("409 during a transition causes another try", async () => {
    server.script = ({ method, path }) =>
      method === "PUT" ? refusal(409, "Conflict", "ObjectIsBeingDeleted") : bundle(path);
    expect(await complaint(calls.write(), VaultUnavailableError)).toMatch(/being deleted/);
  });

  it.each([{ managed: true }, { kid: "https://kv.vault.azure.net/keys/orders/0" }])(
    "a secret of a certificate (%j) is refused",
    async (mark) => {
      server.script = ({ path }) => bundle(path, mark);
      expect(await complaint(calls.read(), ConfigError)).toMatch(/belongs to a certificate/);
      expect(await complaint(vault.readVersion(ref, signal), ConfigError)).toMatch(/certificate/);
    },
  );

  it("404 for a version written a moment ago does not count at once", async () => {
    let asked = 0;
    server.script = ({ path }) => {
      asked += 1;
      return asked < 3 ? refusal(404, "SecretNotFound") : bundle(path);
    };
    expect(readable(await vault.readVersion(ref, signal)).value.reveal()).toBe("stored");
  });

  it.each([
    ["without a value", { value: undefined }],
    ["without times", { attributes: undefined }],
    ["without an id", { id: undefined }],
  ])("a secret %s is no secret", async (_, rest) => {
    server.script = ({ path }) => bundle(path, rest);
    await complaint(calls.read(), VaultUnavailableError);
  });

  it("an error never contains the request, however hostile the server is", async () => {
    const echo = { code: value, message: value, innererror: { code: token } };
    for (const status of [400, 401, 403, 404, 409, 418]) {
      server.script = ({ method, path }) =>
        method === "GET" && status !== 401
          ? bundle(path)
          : { status, headers: { "x-ms-request-id": token }, json: { error: echo } };
      const error = await failure(vault.write("orders", content, signal));
      expectNoTrace(error, [value, token]);
    }
  });
});
