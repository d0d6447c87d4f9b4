import type { Secret } from "../core/secrets/secret.ts";
import { signedPoster } from "../http/signed-post.ts";
import { defaultSource, toCloudEvent } from "./cloud-event.ts";
import type { Notifier } from "./notifier.ts";

export interface WebhookNotifierOptions {
  /** https, or http on loopback. May hold a key in its path or query; it is told to nobody. */
  readonly url: string;
  /** Signs each request; at least 16 characters. */
  readonly key: Secret;
  /** CloudEvents source; `/keyturn` unless told. */
  readonly source?: string;
  readonly now?: () => Date;
}

/**
 * Posts all events of one call as one batch of CloudEvents 1.0, so that they arrive together or not at all. The
 * receiver checks `Keyturn-Signature` and answers 2xx.
 */
export function webhookNotifier(options: WebhookNotifierOptions): Notifier {
  const { url, key, source = defaultSource, now } = options;
  const receiver = signedPoster({ url, key }, "the webhook of a notifier", now);
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
