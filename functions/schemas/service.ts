import { z } from "zod";
import { endpoint } from "../http/endpoint.ts";
import { cursor, instant, limit, list, next, targetId } from "./common.ts";

export const listAlarms = endpoint({
  route: "api-alarms",
  summary: "List alarms that belong to no rotation, newest first",
  query: z.strictObject({ limit: limit.optional(), cursor: cursor.optional() }),
  answers: {
    200: {
      description: "A page of alarms.",
      content: {
        "application/json": z.object({
          alarms: list(
            z
              .object({
                id: z.string(),
                at: instant,
                kind: z.string(),
                message: z.string(),
                targetId: targetId.optional(),
              })
              .meta({ id: "Alarm" }),
          ),
          next,
        }),
      },
    },
  },
  problems: [],
});

const status = z.object({ status: z.enum(["up", "down"]) });

export const getHealth = endpoint({
  route: "api-health",
  summary: "Report to load balancers whether the app is up",
  description: "Needs no key. One answer serves all callers for five seconds.",
  answers: {
    200: { description: "The app is up.", content: { "application/json": status } },
    503: { description: "The journal cannot be reached.", content: { "application/json": status } },
  },
  problems: [],
});

export const getDocument = endpoint({
  route: "api-openapi",
  summary: "Describe this API",
  answers: {
    200: {
      description: "The OpenAPI 3.1 document of this version.",
      content: { "application/json": z.looseObject({}) },
    },
  },
  problems: [],
});
