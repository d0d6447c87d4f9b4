import type { EventGridPublisherClient } from "@azure/eventgrid";
import type { TokenCredential } from "@azure/identity";
import { z } from "zod";
import { ConfigError } from "../core/errors.ts";
import { isLoopback, isTopicHost, topicSuffixes } from "../core/secrets/addresses.ts";
import type { Secret } from "../core/secrets/secret.ts";
import { parseWebAddress } from "../http/address.ts";
import { isGivenUp, withDeadline } from "../http/deadline.ts";
import { defaultSource, toCloudEvent } from "./cloud-event.ts";
import type { Notifier } from "./notifier.ts";

export interface EventGridNotifierOptions {
  /** The endpoint of a custom topic for CloudEvents 1.0, such as `https://….eventgrid.azure.net/api/events`. */
  readonly endpoint: string;
  /** An identity with the role EventGrid Data Sender; a key also works on http, on loopback. */
  readonly credential: TokenCredential | { readonly key: Secret };
  /** The CloudEvents source; `/keyturn` by default. */
  readonly source?: string;
}

/** Sends all events of one call in one request, which Event Grid accepts as a whole or not at all. */
export function makeEventGridNotifier(options: EventGridNotifierOptions): Notifier {
  const { credential, source = defaultSource } = options;
  const endpoint = topicEndpoint(options);
  const name = `event-grid ${isLoopback(endpoint) ? endpoint.host : (endpoint.hostname.split(".")[0] ?? "")}`;
  let made: Promise<EventGridPublisherClient<"CloudEvent">> | undefined;
  return {
    name,
    async send(notifications, signal) {
      if (notifications.length === 0) return;
      const events = notifications.map((each) => toCloudEvent(each, source));
      try {
        await withDeadline(signal, async (abortSignal) => {
          const client = await (made ??= publisher(endpoint, credential));
          await client.send(events, { abortSignal });
        });
      } catch (error) {
        throw sendFailure(name, error);
      }
    },
  };
}

function topicEndpoint({ endpoint, credential }: EventGridNotifierOptions): URL {
  const what = "The endpoint of the event-grid notifier";
  const address = parseWebAddress(endpoint, what);
  if (!isTopicHost(address)) {
    throw new ConfigError(`${what} must be on a host below ${topicSuffixes.join(", ")}.`);
  }
  if (address.protocol === "https:" || "key" in credential) return address;
  throw new ConfigError(`${what} must begin with https:// unless a key is used.`);
}

/** The first event loads the client, so that apps without events start faster. */
async function publisher(
  endpoint: URL,
  credential: EventGridNotifierOptions["credential"],
): Promise<EventGridPublisherClient<"CloudEvent">> {
  const { AzureKeyCredential, EventGridPublisherClient } = await import("@azure/eventgrid");
  return new EventGridPublisherClient(
    endpoint.href,
    "CloudEvent",
    "key" in credential ? new AzureKeyCredential(credential.key.reveal()) : credential,
    {
      allowInsecureConnection: isLoopback(endpoint),
      // The outbox keeps undelivered events and sends them again, later than the client would.
      retryOptions: { maxRetries: 0 },
      redirectOptions: { maxRetries: 0 },
    },
  );
}

/** The code of a lost connection, such as `ECONNRESET`. With a status the code is from the server, and is not shown. */
const refusal = z.object({
  statusCode: z.number().optional().catch(undefined),
  code: z
    .string()
    .regex(/^[A-Z_]{1,40}$/)
    .optional()
    .catch(undefined),
});

const sentences: Record<number, string> = {
  401: "the topic refuses the key or token",
  403: "the identity lacks the role EventGrid Data Sender, or the network rules block the app",
  404: "no topic exists at this address. Check the endpoint in the configuration",
  413: "the events are too large",
  429: "the topic is throttling",
};

/** The error has no cause, because the client's error contains the key or the token. */
function sendFailure(name: string, error: unknown): Error {
  return new Error(`${name}: ${explain(error)}`);
}

function explain(error: unknown): string {
  if (isGivenUp(error)) return "the request timed out.";
  const { statusCode, code } = refusal.safeParse(error).data ?? {};
  if (statusCode !== undefined) {
    const sentence = sentences[statusCode] ?? "the topic refuses the events";
    return `${sentence} (HTTP ${statusCode}).`;
  }
  return code === undefined
    ? "the events could not be sent, for example because no token was available."
    : `the topic could not be reached (${code}).`;
}
