import { randomUUID } from "node:crypto";
import { type IncomingMessage, request as send } from "node:http";
import type { RegisteredFunction } from "../app/core-module.ts";
import type { Invoker } from "../app/invoke.ts";
import { json, type RpcTypedData } from "../app/rpc-data.ts";
import { type HttpCall, type HttpReply, joinHeaders } from "./http.ts";

/** Headers that describe one connection and not the answer. */
const hopHeaders = ["connection", "keep-alive", "transfer-encoding", "x-ms-invocation-id"];

interface Forwarded {
  registered: RegisteredFunction;
  parameters: Readonly<Record<string, string>>;
  /** Where the library takes requests. */
  httpUri: string;
  trace: { traceParent?: string; traceState?: string };
}

/**
 * Answers a request as the real host does when an app streams HTTP: it starts the invocation, and sends the request to a server of the
 * library with the id of the invocation. The answer begins when the function returns, and may go on for long.
 */
export async function forwardToFunction(
  call: HttpCall,
  { registered, parameters, httpUri, trace }: Forwarded,
  invoker: Invoker,
): Promise<HttpReply> {
  const invocationId = randomUUID();
  const left = new AbortController();
  const invocation = invoker.invoke({
    ...{ function: registered, invocationId },
    input: { http: { method: call.method, url: call.url.href, ...noMappings } },
    triggerMetadata: toMetadata(call, parameters),
    reason: "This function was programmatically called via the host APIs.",
    ...trace,
  });
  const failed = invocation.then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => {
      left.abort();
      throw error;
    },
  );
  const answered = proxy(call, { httpUri, invocationId, signal: left.signal });
  answered.catch(() => undefined);
  const response = await Promise.race([answered, failed]);
  return {
    status: response.statusCode ?? 200,
    headers: readHeaders(response),
    body: response,
  };
}

const noMappings = { nullableHeaders: {}, nullableQuery: {}, nullableParams: {} };

/** The library reads headers and parameters from here, and the rest from the forwarded request. */
function toMetadata(
  call: HttpCall,
  parameters: Readonly<Record<string, string>>,
): Record<string, RpcTypedData> {
  const given = Object.entries(parameters).map(([name, value]) => [name, { string: value }]);
  return {
    ...(Object.fromEntries(given) as Record<string, RpcTypedData>),
    Headers: json(Object.fromEntries(joinHeaders(call))),
    Query: json(Object.fromEntries(call.url.searchParams)),
  };
}

interface Proxied {
  httpUri: string;
  invocationId: string;
  signal: AbortSignal;
}

function proxy(
  { method, url, headers, body }: HttpCall,
  { httpUri, invocationId, signal }: Proxied,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { pathname, search } = url;
    const hasLength = headers["content-length"] !== undefined;
    const request = send(new URL(`${pathname}${search}`, httpUri), {
      method,
      signal,
      agent: false,
      headers: {
        ...Object.fromEntries(joinHeaders({ headers }).filter(([name]) => !isHop(name))),
        "x-forwarded-host": url.host,
        "x-forwarded-proto": "http",
        "x-ms-invocation-id": invocationId,
        ...(hasLength && { "content-length": String(body.length) }),
      },
    });
    request.once("response", resolve).once("error", reject);
    request.end(body.length > 0 ? body : undefined);
  });
}

const isHop = (name: string): boolean => hopHeaders.includes(name) || name === "host";

function readHeaders({ headers }: IncomingMessage): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(
    ([name, value]) => value !== undefined && !hopHeaders.includes(name),
  );
  return Object.fromEntries(kept) as Record<string, string | string[]>;
}
