import { z } from "zod";
import type { RegisteredFunction } from "./app/core-module.ts";
import type { Invoker } from "./app/invoke.ts";
import { json } from "./app/rpc-data.ts";
import type { HttpCall, HttpReply } from "./http/http.ts";
import { isAnyKey, type Keys, readPresentedKey } from "./http/keys.ts";
import { toErrorMessage } from "./log.ts";

export const eventGridPath = "/runtime/webhooks/eventgrid";

const event = z.record(z.string(), z.unknown());
const events = z.union([z.array(event), event.transform((one) => [one])]);

const handshake = z.object({ validationCode: z.string() });
/** In the Event Grid schema, the body is an array. In the CloudEvents schema, it is one object, whose `data` is JSON text. */
const validation = z.union([
  z.tuple([z.object({ data: handshake })]).transform(([{ data }]) => data),
  z.object({ data: z.string().transform(parseJson).pipe(handshake) }).transform(({ data }) => data),
  z.object({ data: handshake }).transform(({ data }) => data),
]);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Answers the webhook of all Event Grid triggers, `?functionName=…&code=…`. Answers when the function has ended; as on Azure,
 * all events of a delivery share one answer.
 */
export async function answerEventGrid(
  call: HttpCall,
  host: { functions: readonly RegisteredFunction[]; keys: Keys; invoker: Invoker },
): Promise<HttpReply> {
  const presented = readPresentedKey(call.headers["x-functions-key"], call.url.searchParams);
  if (!isAnyKey(presented, [host.keys.eventgrid_extension, host.keys.master]))
    return { status: 401 };
  const name = call.url.searchParams.get("functionName");
  const target = host.functions.find(({ metadata }) => metadata.name === name);
  if (target === undefined) return { status: 404, body: `cannot find function: '${name ?? ""}'` };
  const body = parseJson(call.body.toString("utf8"));
  const kind = call.method === "POST" ? call.headers["aeg-event-type"] : undefined;
  switch (kind) {
    case "SubscriptionValidation":
      return answerValidation(body);
    case "Notification":
      return deliver(body, target, host.invoker);
    case "Unsubscribe":
      return { status: 202 };
    default:
      return { status: 400 };
  }
}

function answerValidation(body: unknown): HttpReply {
  const parsed = validation.safeParse(body);
  if (!parsed.success) return { status: 400 };
  return {
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify({ validationResponse: parsed.data.validationCode }),
  };
}

async function deliver(
  body: unknown,
  target: RegisteredFunction,
  invoker: Invoker,
): Promise<HttpReply> {
  const parsed = events.safeParse(body);
  if (!parsed.success) return { status: 400 };
  const results = await Promise.allSettled(
    parsed.data.map((one) => invoker.invoke(toEventCall(target, one))),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return { status: 202 };
  // As on Azure, Event Grid receives the exception's message, so handlers must keep it free of secrets.
  return { status: 500, body: toErrorMessage(failed.reason) };
}

/** Makes the call for one event, which is passed on unchanged in its own schema. */
export const toEventCall = (target: RegisteredFunction, one: Record<string, unknown>) => ({
  function: target,
  input: json(one),
  triggerMetadata: "data" in one ? { data: json(one["data"]) } : {},
  reason: `EventGrid trigger fired at ${new Date().toISOString()}`,
});
