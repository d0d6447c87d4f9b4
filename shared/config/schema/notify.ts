import { z } from "zod";
import { isTopicHost, topicSuffixes } from "../../core/secrets/addresses.ts";
import { secretPlace, webAddress } from "./fields.ts";

const topicEndpoint = webAddress.refine(
  (text) => {
    const url = URL.parse(text);
    return url === null || isTopicHost(url);
  },
  `must be on a host below ${topicSuffixes.join(", ")}`,
);

export const notifierSchema = z
  .discriminatedUnion("type", [
    z
      .strictObject({
        type: z.literal("event-grid").describe("A custom topic of Azure Event Grid."),
        endpoint: topicEndpoint.describe(
          "The topic's address, such as https://orders.westeurope-1.eventgrid.azure.net/api/events.",
        ),
        key: secretPlace
          .optional()
          .describe("The secret that holds the topic's key. Default: the app's managed identity."),
      })
      .refine(({ endpoint, key }) => key !== undefined || !/^http:/i.test(endpoint), {
        path: ["endpoint"],
        message: "must begin with https:// unless a key is used",
      }),
    z.strictObject({
      type: z.literal("webhook").describe("A signed HTTP request."),
      url: webAddress.describe("Where the request goes."),
      key: secretPlace.describe("The secret that signs the request (HMAC-SHA-256)."),
    }),
  ])
  .describe("A channel that is told what happens.");
