import { createServer } from "node:https";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { listen, type Listening } from "../../conformance/faults/listening.ts";
import { secretKeeper } from "../../conformance/secret-keeper.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeWebhook, type WebhookOptions } from "../../shared/rotators/webhook/webhook.ts";
import { localCertificate } from "../doubles/certificate.ts";
import {
  admin,
  apply,
  optionsFor,
  startWebhookBench,
  type WebhookBench,
} from "../doubles/webhook-endpoint.ts";

const rotator = makeWebhook();
const next = { account: "app", secret: new Secret("N3w~secret-of-the-account+with/signs") };
const using = { as: "admin", credential: admin } as const;

const keeper = secretKeeper(() => "unused");
keeper.keep(next.secret.reveal());
keeper.keep(admin.secret.reveal());

let bench: WebhookBench;
let parrot: Listening;
let options: WebhookOptions;
/** The status of the next replies, and what they contain. */
let reply: (said: string) => readonly [status: number, content: unknown];

beforeAll(async () => {
  bench = await startWebhookBench();
  parrot = await listen(
    createServer({ ...(await localCertificate()) }, (request, response) => {
      void text(request).then((body) => {
        const { secret = "" } = z.object({ secret: z.string().optional() }).parse(JSON.parse(body));
        const key = admin.secret.reveal();
        const [status, content] = reply(
          [body, secret, key, btoa(secret), encodeURIComponent(key), secret.slice(0, 20)].join(
            "\n",
          ),
        );
        response.writeHead(status, { "content-type": "application/json", "retry-after": key });
        response.end(JSON.stringify(content));
      });
    }),
  );
  options = optionsFor(parrot.port, bench.options.tls.caFile ?? "");
});
afterAll(async () => {
  await parrot.close();
  await bench.stop();
});

const call = { account: "app", using };
const operations = {
  apply: (signal: AbortSignal) => apply(rotator, { options, next, using }, signal),
  retire: async (signal: AbortSignal) => rotator.retire?.({ options, ...call }, signal),
  examine: async (signal: AbortSignal) =>
    rotator.examine?.({ options, ...call, isProven: false }, signal),
  verify: (signal: AbortSignal) => rotator.verify({ options, credential: next, admin }, signal),
  hasSessions: async (signal: AbortSignal) => rotator.hasSessions?.({ options, ...call }, signal),
};

const replies: readonly (readonly [string, typeof reply])[] = [
  ["refused", (message) => [200, { answer: "refused", message }]],
  ["unavailable", (message) => [200, { answer: "unavailable", message }]],
  ["unknown", (message) => [200, { answer: "unknown", message }]],
  [
    "obstacles and warnings",
    (said) => [200, { answer: "ok", obstacles: [said], warnings: [said] }],
  ],
  ["an unknown word", (said) => [200, { answer: said }]],
  ["unauthorized", (said) => [401, { answer: "unauthorized", said }]],
  ["a crash", (said) => [500, { said }]],
  ["throttling", (said) => [429, { said }]],
];

test.each(replies)(
  "an endpoint that answers with %s and repeats all secrets puts none into a result or an error",
  async (_what, make) => {
    reply = make;
    for (const operate of Object.values(operations)) {
      const outcome: unknown = await operate(AbortSignal.timeout(20_000)).catch(
        (error: unknown) => error,
      );
      // The credential of a change is its result, and a Secret does not show its value.
      keeper.expectNoneIn(outcome);
      expect(JSON.stringify(outcome) + String(outcome)).not.toContain(
        next.secret.reveal().slice(0, 20),
      );
    }
  },
);

test("a sentence of the endpoint is one short line", async () => {
  reply = () => [200, { answer: "refused", message: `first\nsecond\u001b[31m${"x".repeat(5000)}` }];
  const error: unknown = await operations
    .apply(AbortSignal.timeout(20_000))
    .catch((reason: unknown) => reason);
  const { message } = z.instanceof(Error).parse(error);
  expect(message).toContain(String.raw`the endpoint refused: first\u000asecond\u001b[31mxxx`);
  expect(message.length).toBeLessThan(450);
});

test("a list of the endpoint has an end", async () => {
  reply = () => [200, { answer: "ok", warnings: Array.from({ length: 500 }, () => "odd") }];
  expect(await operations.examine(AbortSignal.timeout(20_000))).toMatchObject({
    warnings: Array.from({ length: 10 }, () => "Account `app`: odd"),
  });
});
