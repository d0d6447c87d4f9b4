import { z } from "zod";
import type { RegisteredFunction } from "../app/core-module.ts";
import { findTrigger, type Invoker } from "../app/invoke.ts";
import { resolvePlaceholders, type Settings } from "../host-json.ts";
import { forwardToFunction } from "./forward.ts";
import { type HttpCall, type HttpReply, toReply, toRpcRequest } from "./http.ts";
import { isAnyKey, type Keys, readPresentedKey } from "./keys.ts";
import { comparePrecedence, matchRoute, parseRoute, type Route } from "./routes.ts";

const httpTrigger = z.looseObject({
  authLevel: z.enum(["anonymous", "function", "admin"]).default("anonymous"),
  methods: z.array(z.string()).default(["GET", "POST"]),
  route: z.string().optional(),
});

export interface HttpFunction {
  registered: RegisteredFunction;
  authLevel: "anonymous" | "function" | "admin";
  methods: readonly string[];
  /** The path with the route prefix, without a leading slash. */
  path: string;
}

export function readHttpFunction(
  registered: RegisteredFunction,
  routePrefix: string,
  settings: Settings,
): HttpFunction {
  const { authLevel, methods, route } = httpTrigger.parse(findTrigger(registered));
  const template = resolvePlaceholders(route ?? registered.metadata.name, settings);
  const path = [routePrefix, template].map((part) => part.replace(/^\/+|\/+$/g, ""));
  return {
    registered,
    authLevel,
    methods: methods.map((method) => method.toUpperCase()),
    path: path.filter((part) => part !== "").join("/"),
  };
}

export const makeHttpRoutes = (functions: readonly HttpFunction[]): Route<HttpFunction>[] =>
  functions
    .map((target) =>
      parseRoute({ prefix: "", template: target.path, methods: target.methods, target }),
    )
    .toSorted(comparePrecedence);

/** Answers a request to an HTTP function of the app. A method without a function also gets 404. */
export async function answerFunction(
  call: HttpCall,
  host: {
    routes: readonly Route<HttpFunction>[];
    keys: Keys;
    invoker: Invoker;
    httpUri: string | undefined;
  },
): Promise<HttpReply> {
  const match = matchRoute(host.routes, call.method, call.path);
  if (match === undefined) return { status: 404 };
  const { registered, authLevel } = match.target;
  const presented = readPresentedKey(call.headers["x-functions-key"], call.url.searchParams);
  const { keys } = host;
  const accepted = {
    anonymous: undefined,
    function: [keys.functions[registered.metadata.name], keys.default, keys.master],
    admin: [keys.master],
  }[authLevel];
  if (accepted !== undefined && !isAnyKey(presented, accepted)) return { status: 401 };
  const { invoker, httpUri } = host;
  try {
    if (httpUri !== undefined) {
      const { parameters } = match;
      const forwarded = { registered, parameters, httpUri, trace: readTrace(call) };
      return await forwardToFunction(call, forwarded, invoker);
    }
    const response = await invoker.invoke({
      function: registered,
      input: { http: toRpcRequest(call, match.parameters) },
      reason: "This function was programmatically called via the host APIs.",
      ...readTrace(call),
    });
    return toReply(response.returnValue);
  } catch {
    // The caller must not see the exception's message, which is in the log.
    return { status: 500 };
  }
}

function readTrace({ headers }: HttpCall): { traceParent?: string; traceState?: string } {
  const { traceparent, tracestate } = headers;
  return {
    ...(typeof traceparent === "string" ? { traceParent: traceparent } : {}),
    ...(typeof tracestate === "string" ? { traceState: tracestate } : {}),
  };
}
