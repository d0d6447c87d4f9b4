import { z } from "zod";
import type { RegisteredFunction } from "./app/core-module.ts";
import type { Call, Invoker } from "./app/invoke.ts";
import { toEventCall } from "./event-grid-webhook.ts";
import type { AppFunctions } from "./functions.ts";
import type { HttpCall, HttpReply } from "./http/http.ts";
import { isAnyKey, type Keys, readPresentedKey } from "./http/keys.ts";
import { toQueueCall } from "./queues/message-handler.ts";
import { toTimerCall } from "./timers/timers.ts";

/** Answers the host's own routes, which need the master key. */
export function answerAdmin(
  call: HttpCall,
  host: { id: string; started: Date; functions: AppFunctions; keys: Keys; invoker: Invoker },
): HttpReply {
  const presented = readPresentedKey(call.headers["x-functions-key"], call.url.searchParams);
  if (!isAnyKey(presented, [host.keys.master])) return { status: 401 };
  if (call.method === "GET" && call.path === "/admin/host/status") {
    const processUptime = Date.now() - host.started.getTime();
    return jsonReply({ id: host.id, state: "Running", version: "local", processUptime });
  }
  const name = /^\/admin\/functions\/([^/]+)$/.exec(call.path)?.[1];
  if (name === undefined || call.method !== "POST") return { status: 404 };
  return startByHand(decodeName(name), call.body.toString("utf8"), host);
}

const jsonReply = (value: unknown): HttpReply => ({
  status: 200,
  headers: { "content-type": "application/json; charset=utf-8" },
  body: JSON.stringify(value),
});

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

const inputOf = z
  .string()
  .transform((text): unknown => (text.trim() === "" ? {} : JSON.parse(text)))
  .pipe(z.object({ input: z.string().nullish() }));

/** Answers 202 as soon as the function has started. */
function startByHand(
  name: string,
  body: string,
  host: { functions: AppFunctions; invoker: Invoker },
): HttpReply {
  const { functions, invoker } = host;
  const registered = functions.all.find(({ metadata }) => metadata.name === name);
  if (registered === undefined) return { status: 404 };
  const isHttp = functions.http.some((it) => it.registered === registered);
  if (isHttp)
    return { status: 400, body: "An HTTP function cannot be started here. Call its own URL." };
  let call: Call;
  try {
    call = callByHand(registered, inputOf.parse(body).input ?? "", functions);
  } catch {
    return {
      status: 400,
      body: 'The body must be JSON such as {"input": "..."}, with an input that suits the trigger.',
    };
  }
  // The invoker logs the result; the caller does not wait for it.
  invoker.invoke(call).catch(() => undefined);
  return { status: 202 };
}

function callByHand(registered: RegisteredFunction, input: string, functions: AppFunctions): Call {
  const timer = functions.timers.find((it) => it.registered === registered);
  if (timer !== undefined) return toTimerCall(timer, undefined, false);
  if (functions.eventGrid.includes(registered)) {
    const event = z.record(z.string(), z.unknown()).parse(JSON.parse(input));
    return toEventCall(registered, event);
  }
  if (functions.queues.some((it) => it.registered === registered)) {
    return toQueueCall(registered, input);
  }
  return { function: registered, input: {}, reason: "This function was called by hand." };
}
