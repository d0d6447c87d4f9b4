import { z } from "zod";
import { secretPlace, webAddress } from "./fields.ts";

export const consumerSchema = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("webhook").describe("Is told by a signed HTTP request."),
      url: webAddress.describe("Where the request goes."),
      key: secretPlace.describe("The secret that signs the request (HMAC-SHA-256)."),
    }),
  ])
  .describe("An application that uses a secret and is told when there is a new one.");
