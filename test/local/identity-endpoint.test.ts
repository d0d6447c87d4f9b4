import { ManagedIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { type IdentityEndpoint, startIdentityEndpoint } from "../../local/identity/endpoint.ts";
import { startKeyVaultEmulator } from "../../local/key-vault/emulator.ts";
import { VAULT_RESOURCE } from "../../local/key-vault/gate.ts";
import { createClock } from "./key-vault/key-vault-emulator-fixture.ts";

const USER_ASSIGNED = "11111111-2222-3333-4444-555555555555";

const tokenShape = z.strictObject({
  access_token: z.string().min(40),
  expires_on: z.string().regex(/^\d+$/),
  resource: z.string(),
  token_type: z.literal("Bearer"),
  client_id: z.string(),
});

let clock = createClock();
let endpoint: IdentityEndpoint;
beforeAll(async () => {
  endpoint = await startIdentityEndpoint({
    now: () => clock.now(),
    userAssigned: [USER_ASSIGNED],
  });
});
afterAll(() => endpoint.close());
afterEach(() => {
  vi.unstubAllEnvs();
});

const ask = (query: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(`${endpoint.url}${query}`, {
    method,
    headers: { "x-identity-header": endpoint.header, ...headers },
  });

const take = async (query: string) => tokenShape.parse(await (await ask(query)).json());

test("the official managed identity credential opens the Key Vault emulator", async () => {
  clock = createClock(new Date().toISOString());
  const vault = await startKeyVaultEmulator({
    acceptsToken: (token) => endpoint.accepts(token, VAULT_RESOURCE),
    tickEveryMs: 0,
  });
  try {
    for (const [name, value] of Object.entries(endpoint.env)) vi.stubEnv(name, value);
    const client = new SecretClient(vault.url, new ManagedIdentityCredential(), {
      allowInsecureConnection: true,
      disableChallengeResourceVerification: true,
    });
    await client.setSecret("orders-db", "value");
    expect((await client.getSecret("orders-db")).value).toBe("value");
    expect(vault.journal.map(({ status }) => status)).toEqual([401, 200, 200]);
  } finally {
    await vault.close();
  }
});

test("a user-assigned identity is found by its client id", async () => {
  clock = createClock(new Date().toISOString());
  for (const [name, value] of Object.entries(endpoint.env)) vi.stubEnv(name, value);
  const credential = new ManagedIdentityCredential({ clientId: USER_ASSIGNED });
  const { token, expiresOnTimestamp } = await credential.getToken("https://example.net/.default");
  expect(endpoint.accepts(token, "https://example.net")).toBe(true);
  expect(expiresOnTimestamp).toBeGreaterThan(Date.now() + 3_600_000);
  const { client_id } = await take(`?api-version=2019-08-01&resource=x&client_id=${USER_ASSIGNED}`);
  expect(client_id).toBe(USER_ASSIGNED);
});

test("a token is good for its own resource until it runs out", async () => {
  const query = "?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net";
  const { access_token: token, resource } = await take(query);
  expect(resource).toBe(VAULT_RESOURCE);
  expect(endpoint.accepts(token, VAULT_RESOURCE)).toBe(true);
  expect(endpoint.accepts(token, "https://vault.azure.net/")).toBe(true);
  expect(endpoint.accepts(token, "https://storage.azure.com")).toBe(false);
  expect(endpoint.accepts(`${token}x`, VAULT_RESOURCE)).toBe(false);
  clock.advance(86_400_000);
  expect(endpoint.accepts(token, VAULT_RESOURCE)).toBe(false);
});

test("the same token is handed out again during the first half of its life", async () => {
  const query = "?api-version=2019-08-01&resource=https%3A%2F%2Fhalf.example";
  const first = await take(query);
  clock.advance(11 * 3_600_000);
  expect(await take(query)).toEqual(first);
  clock.advance(2 * 3_600_000);
  const second = await take(query);
  expect(second.access_token).not.toBe(first.access_token);
  expect(endpoint.accepts(first.access_token, "https://half.example")).toBe(true);
});

const FINE = "?api-version=2019-08-01&resource=x";

test.each([
  ["no header", FINE, { "x-identity-header": "" }, "GET", 401],
  ["a wrong header", FINE, { "x-identity-header": "guess" }, "GET", 401],
  ["no version", "?resource=x", {}, "GET", 400],
  ["another version", "?api-version=2017-09-01&resource=x", {}, "GET", 400],
  ["no resource", "?api-version=2019-08-01", {}, "GET", 400],
  ["an unknown identity", `${FINE}&client_id=nobody`, {}, "GET", 400],
  ["another method", FINE, {}, "POST", 405],
  ["another path", `/more${FINE}`, {}, "GET", 404],
])("%s is refused", async (_, query, headers, method, status) => {
  const response = await ask(query, headers, method);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ statusCode: status });
});
