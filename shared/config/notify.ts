import { z } from "zod";
import { secretPlace, webAddress } from "./fields.ts";

export const notifierSchema = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("event-grid").describe("A custom topic of Azure Event Grid."),
      endpoint: webAddress.describe(
        "The topic's address, such as https://orders.westeurope-1.eventgrid.azure.net/api/events.",
      ),
      key: secretPlace
        .optional()
        .describe("The secret that holds the topic's key. Default: the app's managed identity."),
    }),
    z.strictObject({
      type: z.literal("webhook").describe("A signed HTTP request."),
      url: webAddress.describe("Where the request goes."),
      key: secretPlace.describe("The secret that signs the request (HMAC-SHA-256)."),
    }),
  ])
  .describe("A channel that is told what happens.");
