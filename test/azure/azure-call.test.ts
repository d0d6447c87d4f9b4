import { createServer } from "node:net";
import { inspect } from "node:util";
import { afterEach, describe, expect, it, test } from "vitest";
import { listen } from "../../conformance/faults/listening.ts";
import { type AzureRequest, callAzure } from "../../shared/azure/azure-call.ts";
import { ConfigError } from "../../shared/core/errors.ts";
import { type Scripted, type ScriptedAzure, startScripted, token } from "./scripted-azure.ts";

const open: ScriptedAzure[] = [];
afterEach(async () => {
  for (const azure of open.splice(0)) {
    await expect.poll(() => azure.connections.open).toBe(0);
    await azure.close();
  }
});

async function start(...answers: readonly Scripted[]): Promise<ScriptedAzure> {
  const azure = await startScripted(...answers);
  open.push(azure);
  return azure;
}

const get: AzureRequest = { method: "GET", path: "/things/1?api-version=1" };
const mint: AzureRequest = { method: "POST", path: "/things/1/mint", body: { keyName: "key1" } };

const call = ({ access }: ScriptedAzure, request: AzureRequest, signal = patience()) =>
  callAzure(access, request, signal);
const patience = () => AbortSignal.timeout(20_000);

test("a request has the token of its origin, and its body is JSON", async () => {
  const azure = await start({ body: { value: 1 } });
  expect(await call(azure, mint)).toMatchObject({ by: "azure", status: 200, body: { value: 1 } });
  expect(azure.scopes).toEqual([`${azure.access.origin}/.default`]);
  const [seen] = azure.seen;
  expect(seen).toMatchObject({ method: "POST", url: "/things/1/mint" });
  expect(seen?.headers).toMatchObject({
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
  });
  expect(JSON.parse(seen?.body ?? "")).toEqual({ keyName: "key1" });
});

describe("a query", () => {
  it.each([429, 500, 503])("is repeated after %i with a short delay", async (status) => {
    const azure = await start({ status, headers: { "retry-after": "0" } }, { body: { a: 1 } });
    expect(await call(azure, get)).toMatchObject({ by: "azure", status: 200 });
    expect(azure.seen).toHaveLength(2);
  });

  it("is sent three times at most", async () => {
    const azure = await start({ status: 429, headers: { "retry-after": "0" } });
    expect(await call(azure, get)).toMatchObject({ status: 429 });
    expect(azure.seen).toHaveLength(3);
  });

  it.each([
    ["a long delay", { status: 429, headers: { "retry-after": "60" } }],
    ["no delay", { status: 503 }],
    ["another error", { status: 404, headers: { "retry-after": "0" } }],
  ])("is not repeated after %s", async (_, answer) => {
    const azure = await start(answer);
    expect(await call(azure, get)).toMatchObject({ status: answer.status });
    expect(azure.seen).toHaveLength(1);
  });

  it("waits no longer than its signal permits", async () => {
    const azure = await start({ status: 429, headers: { "retry-after": "5" } });
    const reply = await call(azure, get, AbortSignal.timeout(300));
    expect(reply).toMatchObject({ by: "nobody", why: "timed-out" });
    expect(azure.seen).toHaveLength(1);
  });
});

describe("a request that changes something", () => {
  it.each(["POST", "PATCH", "PUT", "DELETE"] as const)("%s is sent once", async (method) => {
    for (const answer of [
      { status: 429, headers: { "retry-after": "0" } },
      { status: 503, headers: { "retry-after": "0" } },
      { status: 401, headers: { "www-authenticate": 'Bearer claims="e30="' } },
      { status: 307, headers: { location: "/elsewhere" } },
      { instead: "reset" } as const,
    ]) {
      const azure = await start(answer);
      await call(azure, { ...mint, method });
      expect(azure.seen).toHaveLength(1);
    }
  });

  it("may have arrived if the connection was lost", async () => {
    const azure = await start({ instead: "reset" });
    const reply = await call(azure, mint);
    expect(reply).toMatchObject({ by: "nobody", why: "lost", code: "ECONNRESET", sent: true });
    expect(inspect(reply, { depth: 9 })).not.toContain(token);
  });

  it("may have arrived if the signal fires while nobody answers", async () => {
    const azure = await start({ instead: "silence" });
    const reply = await call(azure, mint, AbortSignal.timeout(300));
    expect(reply).toEqual({ by: "nobody", why: "timed-out", sent: true });
  });

  it("has certainly not arrived if nobody listens", async () => {
    const { access } = await start({});
    const closed = await listen(createServer());
    await closed.close();
    const origin = `https://localhost:${closed.port}`;
    const reply = await callAzure({ ...access, origin }, mint, patience());
    expect(reply).toMatchObject({ by: "nobody", code: "ECONNREFUSED", sent: false });
  });

  it("has certainly not arrived if the certificate is not trusted", async () => {
    const azure = await start({});
    const { ca: _, ...access } = azure.access;
    expect(await callAzure(access, mint, patience())).toMatchObject({ why: "lost", sent: false });
    expect(azure.seen).toEqual([]);
  });
});

describe("the token", () => {
  it.each([
    "https://management.azure.com.example.com",
    "https://management.azure.com:8443",
    "http://management.azure.com",
    "http://localhost:1",
    "https://example.com",
    "https://graph.microsoft.com/v1.0",
  ])("is not even requested for %s", async (origin) => {
    const { access, scopes } = await start({});
    await expect(callAzure({ ...access, origin }, get, patience())).rejects.toBeInstanceOf(
      ConfigError,
    );
    expect(scopes).toEqual([]);
  });

  it("is not sent to the address of a redirect", async () => {
    const other = await start({});
    const azure = await start({ status: 302, headers: { location: `${other.access.origin}/x` } });
    expect(await call(azure, get)).toMatchObject({ by: "gateway", status: 302 });
    expect(other.seen).toEqual([]);
  });

  it.each([
    ["there is none", () => Promise.resolve(null)],
    ["the credential fails", () => Promise.reject(new Error(token))],
  ])("is missing when %s", async (_, getToken) => {
    const azure = await start({});
    const access = { ...azure.access, credential: { getToken } };
    const reply = await callAzure(access, mint, patience());
    expect(reply).toEqual({ by: "nobody", why: "no-token", sent: false });
    expect(azure.seen).toEqual([]);
  });

  it("ends a call whose signal fires while the credential gives none", async () => {
    const azure = await start({});
    const credential = { getToken: () => new Promise<null>(() => undefined) };
    const access = { ...azure.access, credential };
    const reply = await callAzure(access, mint, AbortSignal.timeout(100));
    expect(reply).toEqual({ by: "nobody", why: "timed-out", sent: false });
  });
});
