import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { expectNoTrace, failure } from "../../../conformance/errors.ts";
import { makeWebhookConsumer } from "../../../shared/consumers/webhook-consumer.ts";
import { ConfigError } from "../../../shared/core/errors.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { verifySignature } from "../../../shared/core/secrets/signature.ts";
import { startReceiver, startTroubles, type Trouble } from "../../notifiers/receiver.ts";
import { consumerSuite, refresh } from "./consumer.suite.ts";

const key = new Secret("key of the consumer, shared");
const secretPath = "/refresh/secret-part-of-the-path";

const request = z
  .strictObject({
    targetId: z.string(),
    rotationId: z.string(),
    vault: z.string(),
    secret: z.string(),
    version: z.string(),
  })
  .transform(({ targetId, rotationId, vault, secret, version }) => ({
    targetId,
    rotationId,
    published: { vault, name: secret, version },
  }));

consumerSuite("a consumer with a webhook", async () => {
  const receiver = await startReceiver();
  const now = new Date("2026-03-01T02:03:04.567Z");
  return {
    consumer: makeWebhookConsumer({
      name: "orders-api",
      url: receiver.url + secretPath,
      key,
      now: () => now,
    }),
    asked: () =>
      receiver.received.map(({ method, path, headers, body }) => {
        expect(`${method} ${path}`).toBe(`POST ${secretPath}`);
        expect(headers["content-type"]).toBe("application/json");
        const header = String(headers["keyturn-signature"]);
        expect(verifySignature({ header, body, keys: [key], now: now.toISOString() })).toBe(true);
        return request.parse(JSON.parse(body));
      }),
    close: () => receiver.close(),
  };
});

describe("a consumer with a failing webhook", () => {
  let troubles: Awaited<ReturnType<typeof startTroubles>>;
  const signal = new AbortController().signal;
  const consumer = (trouble: Trouble) =>
    makeWebhookConsumer({ name: "orders-api", url: troubles.url(trouble) + secretPath, key });

  beforeAll(async () => {
    troubles = await startTroubles();
  });
  afterAll(() => troubles.close());

  it.each([
    ["401", /HTTP 401/],
    ["500", /HTTP 500/],
    ["redirect", /HTTP 307/],
    ["hang-up", /could not be reached/],
    ["gone", /ECONNREFUSED/],
  ] as const)("throws an error without a secret: %s", async (trouble, message) => {
    const error = await failure(consumer(trouble).refresh(refresh, signal));
    expect(error.message).toMatch(message);
    expect(error.message).toContain("orders-api");
    expectNoTrace(error, [key.reveal(), "secret-part-of-the-path"]);
  });

  it("stops waiting for a silent consumer when the caller does", async () => {
    const caller = new AbortController();
    const asking = failure(consumer("silence").refresh(refresh, caller.signal));
    await expect.poll(() => troubles.received("silence").length, { timeout: 4_000 }).toBe(1);
    caller.abort();
    expect((await asking).message).toMatch(/timed out/);
  });

  it("refuses an address that is not safe", () => {
    const make = () =>
      makeWebhookConsumer({ name: "orders-api", url: "http://orders.example", key });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(/orders-api/);
  });
});
