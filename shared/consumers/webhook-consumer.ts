import type { Secret } from "../core/secrets/secret.ts";
import { makeSignedPoster } from "../http/signed-post.ts";
import type { Consumer } from "./consumer.ts";

export interface WebhookConsumerOptions {
  /** The name in the configuration. */
  readonly name: string;
  /** https, or http on loopback. Its path or query may contain a key, so it is never logged. */
  readonly url: string;
  /** The key that signs each request; at least 16 characters. */
  readonly key: Secret;
  readonly now?: () => Date;
}

/**
 * Posts `{ targetId, rotationId, vault, secret, version }` as JSON, signed. The application checks
 * `Keyturn-Signature`, reads that version from its vault, and answers 2xx once it uses it.
 */
export function makeWebhookConsumer({ name, url, key, now }: WebhookConsumerOptions): Consumer {
  const receiver = makeSignedPoster({ url, key }, `the consumer ${name}`, now);
  return {
    name,
    async refresh({ targetId, rotationId, published }, signal) {
      const body = {
        targetId,
        rotationId,
        vault: published.vault,
        secret: published.name,
        version: published.version,
      };
      await receiver.post(JSON.stringify(body), "application/json", signal);
    },
  };
}
