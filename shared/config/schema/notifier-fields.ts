import { z } from "zod";
import { isTopicHost, topicSuffixes } from "../../core/secrets/addresses.ts";
import { secretPlace, webAddress } from "./fields.ts";

const topicEndpoint = webAddress.refine(
  (text) => {
    const url = URL.parse(text);
    return url === null || isTopicHost(url);
  },
  `must be on a subdomain of ${topicSuffixes.join(" or ")}`,
);

export const notifierSchema = z
  .discriminatedUnion("type", [
    z
      .strictObject({
        type: z.literal("event-grid").describe("A custom topic of Azure Event Grid."),
        endpoint: topicEndpoint.describe(
          "Address of the topic, such as https://orders.westeurope-1.eventgrid.azure.net/api/events.",
        ),
        key: secretPlace
          .optional()
          .describe(
            "The secret that holds the access key of the topic. Default: no key; the managed identity of the app sends the events.",
          ),
      })
      .refine(({ endpoint, key }) => key !== undefined || !/^http:/i.test(endpoint), {
        path: ["endpoint"],
        message: "must begin with https:// unless key is set",
      }),
    z.strictObject({
      type: z.literal("webhook").describe("A signed HTTP request."),
      url: webAddress.describe("Address that receives the request."),
      key: secretPlace.describe("The secret that signs the request (HMAC-SHA-256)."),
    }),
  ])
  .describe("A channel that receives events, such as alarms.");
