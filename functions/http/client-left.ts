import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";

/** The Functions host proxies each request to a server in this process, with the id of its invocation. */
const invocationHeader = "x-ms-invocation-id";

const open = new Map<string, AbortController>();

interface Started {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

// The library hides the connection from handlers, so a handler could not notice that nobody reads its stream any more.
subscribe("http.server.request.start", (message) => {
  const { request, response } = message as Started;
  const id = request.headers[invocationHeader];
  if (typeof id !== "string") return;
  const controller = new AbortController();
  open.set(id, controller);
  response.once("close", () => {
    controller.abort();
    if (open.get(id) === controller) open.delete(id);
  });
});

/** Aborts when the client of the invocation has left, or has got the whole answer. */
export function whenClientLeaves(invocationId: string): AbortSignal {
  return (open.get(invocationId) ?? new AbortController()).signal;
}
