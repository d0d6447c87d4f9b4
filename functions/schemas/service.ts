import { z } from "zod";
import { endpoint } from "../http/endpoint.ts";
import { instant, list, next, pageQuery, targetId } from "./common.ts";

const alarm = z
  .object({
    id: z.string().describe("Identifies the alarm."),
    at: instant,
    kind: z.string().describe("The reference of events lists the kinds and what to do."),
    message: z.string().describe("What happened and what to do."),
    targetId: targetId.optional().describe("The target that it is about, if there is one."),
  })
  .meta({ id: "Alarm", description: "Something that a person should know." });

export const listAlarms = endpoint({
  route: "api-alarms",
  group: "Alarms and health",
  summary: "List alarms, newest first",
  description: "Alarms report what a person should know and no rotation reports.",
  query: pageQuery,
  answers: {
    200: {
      description: "A page of alarms.",
      content: {
        "application/json": z.object({
          alarms: list(alarm).describe("The alarms of the page."),
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
  group: "Alarms and health",
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
  group: "OpenAPI document",
  summary: "Describe this API for programs",
  description: "Clients, validators and mock servers can be generated from the document.",
  answers: {
    200: {
      description: "The OpenAPI 3.1 document of this version.",
      content: { "application/json": z.looseObject({}) },
    },
  },
  problems: [],
});
