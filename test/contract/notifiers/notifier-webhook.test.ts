import { expect } from "vitest";
import { z } from "zod";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { verifySignature } from "../../../shared/core/secrets/signature.ts";
import { makeWebhookNotifier } from "../../../shared/notifiers/webhook-notifier.ts";
import { cloudEventShape } from "../../notifiers/cloud-event-shape.ts";
import { startReceiver, startTroubles } from "../../notifiers/receiver.ts";
import { notifierSuite, troubleSuite } from "./notifier.suite.ts";

const title = "a signed webhook";
const key = new Secret("key of the webhook, shared");
const secretPath = "/hooks/T0000/secret-part-of-the-path?sig=secret-part-of-the-query";

notifierSuite(title, async () => {
  const receiver = await startReceiver();
  const now = new Date("2026-03-01T02:03:04.567Z");
  const notifier = makeWebhookNotifier({ url: receiver.url + secretPath, key, now: () => now });
  return {
    notifier,
    told: () =>
      receiver.received.flatMap(({ method, path, headers, body }) => {
        expect(`${method} ${path}`).toBe(`POST ${secretPath}`);
        expect(headers["content-type"]).toBe("application/cloudevents-batch+json; charset=utf-8");
        const header = String(headers["keyturn-signature"]);
        expect(verifySignature({ header, body, keys: [key], now: now.toISOString() })).toBe(true);
        return z.array(cloudEventShape).parse(JSON.parse(body));
      }),
    close: () => receiver.close(),
  };
});

troubleSuite(title, async () => {
  const troubles = await startTroubles();
  return {
    notifier: (trouble) => makeWebhookNotifier({ url: troubles.url(trouble) + secretPath, key }),
    received: troubles.received,
    secrets: [key.reveal(), "secret-part-of-the-path", "secret-part-of-the-query"],
    close: troubles.close,
  };
});
