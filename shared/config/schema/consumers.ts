import { z } from "zod";
import { secretPlace, webAddress } from "./fields.ts";

export const consumerSchema = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z
        .literal("webhook")
        .describe("Keyturn notifies the consumer with a signed HTTP request."),
      url: webAddress.describe("Address that receives the request."),
      key: secretPlace.describe("The secret that signs the request (HMAC-SHA-256)."),
    }),
  ])
  .describe("An application that uses a secret and is notified about new versions.");
