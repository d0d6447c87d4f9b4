import { z } from "zod";
import { createDocument } from "zod-openapi";
import {
  answers,
  protocolVersion,
  requestSchema,
  unauthorized,
} from "../shared/rotators/webhook/webhook-protocol.ts";

const json = (schema: z.ZodType) => ({ content: { "application/json": { schema } } });

const anyAnswer = z.union([
  answers.examine,
  answers.apply,
  answers.verify,
  answers.hasSessions,
  answers.retire,
]);

/** The OpenAPI document of the protocol, made from the schemas that type requests and parse answers. */
export function makeWebhookDocument() {
  const title = "Endpoint for Keyturn's rotator webhook";
  return createDocument({
    openapi: "3.1.0",
    info: {
      title,
      version: String(protocolVersion),
      description:
        "What an endpoint must implement: signed POSTs to the one address in `options.url`. " +
        "The page docs/rotators/webhook.md explains the signature, the answers and the errors.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [
      {
        url: "https://{host}",
        description: "Your endpoint",
        variables: { host: { default: "crm-adapter.internal" } },
      },
    ],
    security: [{ signature: [] }],
    paths: {
      "/keyturn": {
        post: {
          operationId: "operate",
          summary: "One operation on one account. The path is yours to choose.",
          requestBody: { required: true, ...json(requestSchema) },
          responses: {
            200: {
              description: "The answer to the operation: AnswerToExamine, AnswerToApply and so on.",
              ...json(anyAnswer),
            },
            401: { description: "Nothing was done.", ...json(unauthorized) },
            429: { description: "Too many requests. Nothing was done." },
            default: {
              description:
                "Any other reply: the result of a change is unknown, and a question has no answer.",
            },
          },
        },
      },
    },
    components: {
      securitySchemes: {
        signature: {
          type: "apiKey",
          in: "header",
          name: "Keyturn-Signature",
          description:
            "`t=<second>,v1=<hex>`: HMAC-SHA-256, with the shared key, over `<second>.<body>`.",
        },
      },
    },
  });
}
