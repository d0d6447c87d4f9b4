import type { Secret } from "../core/secrets/secret.ts";
import { makeSignedPoster } from "../http/signed-post.ts";
import { defaultSource, toCloudEvent } from "./cloud-event.ts";
import type { Notifier } from "./notifier.ts";

export interface WebhookNotifierOptions {
  /** https, or http on loopback. Its path or query may contain a key, so it is never logged. */
  readonly url: string;
  /** The key that signs each request; at least 16 characters. */
  readonly key: Secret;
  /** The CloudEvents source; `/keyturn` by default. */
  readonly source?: string;
  readonly now?: () => Date;
}

/**
 * Posts all events of one call as one batch of CloudEvents 1.0, so that they arrive together or not at all. The
 * receiver checks `Keyturn-Signature` and answers 2xx.
 */
export function makeWebhookNotifier(options: WebhookNotifierOptions): Notifier {
  const { url, key, source = defaultSource, now } = options;
  const receiver = makeSignedPoster({ url, key }, "the webhook of a notifier", now);
  return {
    name: `webhook ${receiver.host}`,
    async send(notifications, signal) {
      if (notifications.length === 0) return;
      const events = notifications.map((each) => ({
        specversion: "1.0",
        ...toCloudEvent(each, source),
      }));
      const contentType = "application/cloudevents-batch+json; charset=utf-8";
      await receiver.post(JSON.stringify(events), contentType, signal);
    },
  };
}
