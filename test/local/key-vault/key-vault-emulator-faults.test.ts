import { describe, expect, test } from "vitest";
import { WRITES } from "../../../local/key-vault/faults.ts";
import { createThrottle } from "../../../local/key-vault/throttle.ts";
import { collect, createClock, PATIENT, startVault } from "./key-vault-emulator-fixture.ts";

describe("a fault of the Key Vault emulator", () => {
  test("that loses the reply makes the official client leave two versions", async () => {
    const { client, emulator } = await startVault();
    const fault = emulator.faults.add({
      match: { operation: "set-secret" },
      kind: "lost-reply-after-effect",
    });
    const { properties } = await client.setSecret("orders-db", "same");
    const versions = await collect(client.listPropertiesOfSecretVersions("orders-db"));
    expect(versions).toHaveLength(2);
    expect((await client.getSecret("orders-db")).properties.version).toBe(properties.version);
    expect(fault.fired).toBe(1);
    expect(emulator.journal.map(({ status }) => status).slice(0, 3)).toEqual([401, 0, 200]);
  });

  test("that resets before the effect leaves one version", async () => {
    const { client, emulator } = await startVault();
    const fault = emulator.faults.add({ match: { method: "PUT" }, kind: "reset-before-effect" });
    await client.setSecret("orders-db", "same");
    expect(await collect(client.listPropertiesOfSecretVersions("orders-db"))).toHaveLength(1);
    expect(fault.fired).toBe(1);
  });

  test("that answers with a status has no effect and passes after its turns", async () => {
    const { client, emulator } = await startVault();
    for (const status of [429, 500, 503] as const) {
      emulator.faults.add({ match: { method: "PUT" }, kind: "status", status, retryAfter: 0 });
    }
    await client.setSecret("orders-db", "value");
    const statuses = emulator.journal.map(({ status }) => status);
    expect(statuses).toEqual([401, 429, 500, 503, 200]);
    expect(await collect(client.listPropertiesOfSecretVersions("orders-db"))).toHaveLength(1);
  });

  test("that answers 429 without Retry-After is not retried by the official client", async () => {
    const { client, emulator } = await startVault();
    emulator.faults.add({ match: { method: "PUT" }, kind: "status", status: 429 });
    await expect(client.setSecret("orders-db", "value")).rejects.toMatchObject({
      statusCode: 429,
      code: "Throttled",
    });
  });

  test("reaches the caller with the seconds to wait when it outlasts the retries", async () => {
    const { send, emulator } = await startVault();
    const fault = emulator.faults.add({
      match: { name: /-pending$/ },
      kind: "status",
      status: 503,
      retryAfter: 7,
      times: Infinity,
    });
    const response = await send("GET", "/secrets/orders-db-pending/");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "7"]);
    expect((await send("GET", "/secrets/orders-db/")).status).toBe(404);
    expect((await send("GET", "/secrets/other-pending/")).status).toBe(503);
    expect(fault.fired).toBe(2);
    emulator.faults.clear();
    expect((await send("GET", "/secrets/orders-db-pending/")).status).toBe(404);
  });

  test("that delays still does the work", async () => {
    const { send, emulator } = await startVault();
    emulator.faults.add({ match: { name: "orders-db" }, kind: "latency", ms: 40 });
    const before = performance.now();
    const body = JSON.stringify({ value: "x" });
    expect((await send("PUT", "/secrets/orders-db", { body })).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(38);
    expect((await send("GET", "/secrets/orders-db/")).status).toBe(200);
  });

  test("that delays does not hold up closing", async () => {
    const { send, emulator } = await startVault();
    const fault = emulator.faults.add({ match: () => true, kind: "latency", ms: 600_000 });
    const reply = send("GET", "/secrets");
    const lost = expect(reply).rejects.toThrow();
    await expect.poll(() => fault.fired, PATIENT).toBe(1);
    await emulator.close();
    await lost;
  });

  test("can be the HTML page of a gateway", async () => {
    const { send, emulator, client } = await startVault();
    await client.setSecret("orders-db", "value");
    emulator.faults.add({ match: { name: "orders-db" }, kind: "foreign-answer", status: 404 });
    const response = await send("GET", "/secrets/orders-db/");
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toMatch(/^text\/html/);
    expect(response.headers.get("x-ms-keyvault-service-version")).toBeNull();
    expect(await response.text()).toMatch(/^<!DOCTYPE html>/);
    expect((await client.getSecret("orders-db")).value).toBe("value");
  });

  test("can leave the vault readable and refuse every write", async () => {
    const { client, emulator } = await startVault();
    const { properties } = await client.setSecret("orders-db", "value");
    emulator.faults.add({
      match: { operation: WRITES },
      kind: "refusal",
      reason: "forbidden",
      times: Infinity,
    });
    const forbidden = { statusCode: 403, code: "Forbidden" };
    await expect(client.setSecret("orders-db", "other")).rejects.toMatchObject(forbidden);
    const version = properties.version ?? "";
    const change = client.updateSecretProperties("orders-db", version, { enabled: false });
    await expect(change).rejects.toMatchObject(forbidden);
    expect((await client.getSecret("orders-db")).value).toBe("value");
  });

  test.each([
    ["forbidden", 403, "ForbiddenByRbac"],
    ["disabled", 403, "SecretDisabled"],
    ["absent", 404, undefined],
    ["deleted", 409, "ObjectIsDeletedButRecoverable"],
    ["being-deleted", 409, "ObjectIsBeingDeleted"],
    ["being-recovered", 409, "ObjectIsBeingRecovered"],
  ] as const)("can refuse as the vault does when it is %s", async (reason, status, inner) => {
    const { client, emulator } = await startVault();
    const fault = emulator.faults.add({ match: { method: "PUT" }, kind: "refusal", reason });
    await expect(client.setSecret("orders-db", "value")).rejects.toMatchObject({
      statusCode: status,
      details: { error: inner === undefined ? {} : { innerError: { code: inner } } },
    });
    expect((await client.setSecret("orders-db", "value")).value).toBe("value");
    expect(fault.fired).toBe(1);
  });

  test("can let a person do something at the moment of a request", async () => {
    const { client, emulator } = await startVault();
    await client.setSecret("orders-db", "value");
    const deletion = emulator.faults.add({
      match: { operation: "set-secret", name: "orders-db" },
      kind: "meanwhile",
      act: async () => {
        await client.beginDeleteSecret("orders-db");
      },
    });
    await expect(client.setSecret("orders-db", "other")).rejects.toMatchObject({
      statusCode: 409,
      details: { error: { innerError: { code: "ObjectIsDeletedButRecoverable" } } },
    });
    expect(deletion.fired).toBe(1);
  });

  test("selects its requests by method, name, operation or a function of the test", async () => {
    const { send, emulator } = await startVault();
    const seen: string[] = [];
    emulator.faults.add({
      match: ({ operation, name }) => {
        seen.push(`${operation} ${name ?? ""}`);
        return false;
      },
      kind: "reset-before-effect",
    });
    const removed = emulator.faults.add({
      match: { method: "GET", operation: "list-secrets" },
      kind: "status",
      status: 500,
      times: 5,
    });
    expect((await send("GET", "/secrets")).status).toBe(500);
    expect((await send("GET", "/deletedsecrets/orders-db")).status).toBe(404);
    removed.remove();
    expect((await send("GET", "/secrets")).status).toBe(200);
    expect(seen).toEqual(["list-secrets ", "get-deleted orders-db", "list-secrets "]);
  });
});

describe("throttling in the Key Vault emulator", () => {
  test("allows 300 creates and 4,000 other requests in ten sliding seconds", () => {
    const throttle = createThrottle(1);
    for (let each = 0; each < 300; each += 1) {
      expect(throttle.refuse("create", 1000 + each)).toBeUndefined();
    }
    expect(throttle.refuse("create", 2000)).toBe(9);
    for (let each = 0; each < 4000; each += 1) {
      expect(throttle.refuse("other", 2000)).toBeUndefined();
    }
    expect(throttle.refuse("other", 2000)).toBe(10);
    expect(throttle.refuse("create", 10_999)).toBe(1);
    expect(throttle.refuse("create", 11_000)).toBeUndefined();
    expect(throttle.refuse("create", 11_000)).toBe(1);
  });

  test("does not count refused requests", async () => {
    const clock = createClock();
    const { send } = await startVault({ now: clock.now, throttleScale: 0.01 });
    const create = async (): Promise<number> =>
      (await send("PUT", "/secrets/orders-db", { body: `{"value":"x"}` })).status;
    expect([await create(), await create(), await create()]).toEqual([200, 200, 200]);
    clock.advance(9000);
    const refused = await send("PUT", "/secrets/orders-db", { body: `{"value":"x"}` });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ error: { code: "Throttled" } });
    clock.advance(1000);
    expect([await create(), await create(), await create(), await create()]).toEqual([
      200, 200, 200, 429,
    ]);
  });

  test("counts creates and everything else apart", async () => {
    const clock = createClock();
    const { send } = await startVault({ now: clock.now, throttleScale: 1 / 300 });
    const create = () => send("PUT", "/secrets/orders-db", { body: `{"value":"x"}` });
    expect((await create()).status).toBe(200);
    expect((await create()).status).toBe(429);
    for (let each = 0; each < 13; each += 1) {
      const body = `{"tags":{"n":"${String(each)}"}}`;
      expect((await send("PATCH", "/secrets/orders-db/", { body })).status).toBe(200);
    }
    expect((await send("GET", "/secrets")).status).toBe(429);
  });

  test("is waited out by the official client", async () => {
    const clock = createClock();
    const { client, emulator } = await startVault({ now: clock.now, throttleScale: 1 / 300 });
    await client.setSecret("orders-db", "one");
    clock.advance(9000);
    const retried = client.setSecret("orders-db", "two");
    await expect.poll(() => emulator.journal.at(-1)?.status, PATIENT).toBe(429);
    clock.advance(1000);
    expect((await retried).value).toBe("two");
  });

  test("can be turned off", () => {
    const throttle = createThrottle(Infinity);
    const refused = Array.from({ length: 5000 }, () => throttle.refuse("create", 0));
    expect(refused.every((each) => each === undefined)).toBe(true);
  });
});
