import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { startVault, type TestVault, TOKEN } from "./key-vault-emulator-fixture.ts";

const errorShape = z.object({
  error: z.strictObject({
    code: z.string(),
    message: z.string().min(1),
    innererror: z.strictObject({ code: z.string() }).optional(),
  }),
});

const readError = async (response: Response) => errorShape.parse(await response.json()).error;

let vault: TestVault;
beforeEach(async () => {
  vault = await startVault();
});

describe("without a valid token the Key Vault emulator", () => {
  test.each([
    ["GET", "/secrets"],
    ["GET", "/secrets/orders-db/"],
    ["PUT", "/secrets/orders-db"],
    ["PATCH", "/secrets/orders-db/" + "0".repeat(32)],
    ["DELETE", "/secrets/orders-db"],
    ["GET", "/deletedsecrets"],
    ["POST", "/deletedsecrets/orders-db/recover"],
    ["GET", "/nowhere"],
  ])("answers %s %s with the challenge", async (method, path) => {
    for (const authorization of ["", "Basic abc", `Bearer ${TOKEN}x`, TOKEN]) {
      const response = await vault.send(method, path, { headers: { authorization } });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toMatch(
        /^Bearer authorization="https:\/\/login\.microsoftonline\.com\/[0-9a-f-]+", resource="https:\/\/vault\.azure\.net"$/,
      );
      const error = await readError(response);
      expect(error.code).toBe("Unauthorized");
      expect(error.message).toMatch(/^AKV10/);
    }
  });

  test("stores nothing", async () => {
    const body = JSON.stringify({ value: "sneaked-in" });
    await vault.send("PUT", "/secrets/orders-db", { headers: {}, body });
    expect((await vault.send("GET", "/secrets/orders-db/")).status).toBe(404);
  });
});

const put = (json: unknown, name = "orders-db") =>
  vault.send("PUT", `/secrets/${name}`, { body: JSON.stringify(json) });

const manyTags = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`tag${String(index)}`, "x"]));

describe("the limits of the Key Vault emulator", () => {
  test.each([
    ["an empty value", { value: "" }],
    ["a value of 25 KB", { value: "x".repeat(25 * 1024) }],
    ["a content type of 255 characters", { value: "x", contentType: "c".repeat(255) }],
    ["15 tags", { value: "x", tags: manyTags(15) }],
    ["tags of 512 characters", { value: "x", tags: { ["n".repeat(512)]: "v".repeat(512) } }],
    ["nulls for what is not set", { value: "x", contentType: null, tags: null, attributes: null }],
  ])("allow %s", async (_, json) => {
    expect((await put(json)).status).toBe(200);
  });

  test.each([
    ["no value", {}],
    ["null as a value", { value: null }],
    ["a value that is not text", { value: 7 }],
    ["a value over 25 KB", { value: "x".repeat(25 * 1024 + 1) }],
    ["a value over 25 KB in bytes, not characters", { value: "é".repeat(12_801) }],
    ["a long content type", { value: "x", contentType: "c".repeat(256) }],
    ["16 tags", { value: "x", tags: manyTags(16) }],
    ["a long tag name", { value: "x", tags: { ["n".repeat(513)]: "v" } }],
    ["a long tag value", { value: "x", tags: { n: "v".repeat(513) } }],
    ["a tag that is not text", { value: "x", tags: { n: 1 } }],
    ["a fraction of a second", { value: "x", attributes: { exp: 1.5 } }],
    ["a date as text", { value: "x", attributes: { exp: "2027-01-01" } }],
  ])("refuse %s", async (_, json) => {
    const response = await put(json);
    expect(response.status).toBe(400);
    expect((await readError(response)).code).toBe("BadParameter");
  });

  test("apply to changes of properties too", async () => {
    await put({ value: "x" });
    const body = JSON.stringify({ tags: manyTags(16) });
    expect((await vault.send("PATCH", "/secrets/orders-db/", { body })).status).toBe(400);
  });

  test("never repeat a refused value", async () => {
    const marker = "Tr0ub4dor";
    for (const body of [
      `{"value":"${marker}`,
      JSON.stringify({ value: "x", tags: marker }),
      JSON.stringify({ value: `${marker}${"x".repeat(26_000)}` }),
    ]) {
      const response = await vault.send("PUT", "/secrets/orders-db", { body });
      expect(response.status).toBe(400);
      expect(await response.text()).not.toContain(marker);
    }
  });

  test("end at a body of 256 KB", async () => {
    const response = await put({ value: "x", more: "y".repeat(256 * 1024) });
    expect(response.status).toBe(413);
    expect((await readError(response)).code).toBe("RequestEntityTooLarge");
  });

  test.each(["orders_db", "orders%20db", "n".repeat(128), "%F0%9F%94%91", "%"])(
    "refuse the name %s",
    async (name) => {
      const response = await put({ value: "x" }, name);
      expect(response.status).toBe(400);
      expect((await readError(response)).code).toBe("BadParameter");
    },
  );

  test("allow a name of 127 characters", async () => {
    expect((await put({ value: "x" }, "n".repeat(127))).status).toBe(200);
  });

  test.each(["0", "26", "x", "-1", "2.5", ""])("refuse a page of %j", async (size) => {
    expect((await vault.send("GET", `/secrets?maxresults=${size}`)).status).toBe(400);
  });
});

describe("the Key Vault emulator", () => {
  const get = (path: string) =>
    fetch(`${vault.emulator.url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });

  test.each(["/secrets", "/secrets?api-version=", "/secrets?api-version=1.0"])(
    "requires a known version: %s",
    async (path) => {
      const response = await get(path);
      expect(response.status).toBe(400);
      expect((await readError(response)).message).toMatch(/version/);
    },
  );

  test.each(["api%2Dversion=7.0", "api-version=7.6", "api-version=2025-07-01"])(
    "takes %s",
    async (query) => {
      expect((await get(`/secrets?${query}`)).status).toBe(200);
    },
  );

  test.each([
    ["POST", "/secrets", 405],
    ["DELETE", "/secrets/restore", 404],
    ["GET", "/secrets/orders-db/backup", 400],
    ["POST", "/secrets/restore", 400],
    ["POST", "/secrets/orders-db", 405],
    ["PUT", "/secrets/orders-db/" + "0".repeat(32), 405],
    ["GET", "/deletedsecrets/orders-db/recover", 405],
    ["GET", "/", 404],
    ["GET", "/keys", 404],
    ["GET", "/secrets/orders-db/" + "0".repeat(32) + "/more", 404],
    ["GET", "/secrets/orders-db/not-a-version", 400],
  ])("answers %s %s with %i in the format of its errors", async (method, path, status) => {
    const response = await vault.send(method, path);
    expect(response.status).toBe(status);
    expect((await readError(response)).code).not.toBe("");
  });

  test("says with every reply what handled it", async () => {
    const replies = [await vault.send("GET", "/secrets"), await vault.send("GET", "/secrets/x/")];
    for (const { headers } of replies) {
      expect(headers.get("x-ms-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get("x-ms-keyvault-region")).toBe("westeurope");
      expect(headers.get("x-ms-keyvault-service-version")).toMatch(/^\d+\./);
    }
  });

  test("keeps no value and no query in its request journal", async () => {
    await put({ value: "Tr0ub4dor" });
    expect(vault.emulator.journal).toEqual([
      { method: "PUT", path: "/secrets/orders-db", status: 200 },
    ]);
  });
});
