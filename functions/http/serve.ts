import {
  app,
  type HttpHandler,
  type HttpResponseInit,
  type InvocationContext,
} from "@azure/functions";
import {
  findTargetOutage,
  findUnreadableRow,
  findVaultOutage,
  isBusy,
  isConfigError,
  isKeyReused,
  isUnavailable,
  type Operations,
} from "../../shared/app.ts";
import { openOperations } from "../invocation/invocation-operations.ts";
import { whenClientLeaves } from "./client-left.ts";
import type { Answer, Call, EndpointDefinition } from "./endpoint.ts";
import { countRequest, withHeaders } from "./limits.ts";
import { readOrigin, takesJustification } from "./origin.ts";
import { parseRequest } from "./parse.ts";
import { invalid, ProblemError, toAnswer } from "./problem.ts";
import { recordRefusal } from "./refusal.ts";
import { readRequestKey } from "./request-key.ts";
import { type Route, type RouteName, routes } from "./routes.ts";

type Answerer<Definition extends EndpointDefinition> = (
  call: Call<Definition>,
) => Promise<Answer<Definition>>;

/** A write may have succeeded although its answer was lost, so this message must not say that it failed. */
const unavailable =
  "The journal is unavailable. Try again; a request repeated with the same `Idempotency-Key` takes effect only once.";

/** A write that lost every race changed nothing. */
const busy =
  "This request was not recorded, because many others are writing to the same target. Try again.";

/** Registers a route. Its schemas are loaded with the first request. */
export function serve<Definition extends EndpointDefinition>(
  name: RouteName,
  load: () => Promise<Definition>,
  answer: Answerer<Definition>,
): void {
  const route: Route = routes[name];
  const { method, path, authLevel = "function" } = route;
  const handler = handle(route, load, answer);
  app.http(name, { methods: [method], authLevel, route: path, handler });
}

/** Makes a handler that parses the request and turns known errors into problem answers. */
function handle<Definition extends EndpointDefinition>(
  route: Route,
  load: () => Promise<Definition>,
  answer: Answerer<Definition>,
): HttpHandler {
  return async (request, context) => {
    // First, because a client that leaves later is not found any more.
    const clientLeft = whenClientLeaves(context.invocationId);
    let budget = {};
    let operations: Operations | undefined;
    try {
      operations = await openOperations(context);
      budget = await countRequest(request, route, operations);
      const definition: Definition = await load();
      const parsed = await parseRequest(request, definition);
      const origin = readOrigin(request, parsed.body);
      if (takesJustification(definition)) await operations.requireJustification(origin);
      const key = readRequestKey(request, definition, parsed);
      // The schemas of the definition have made these fields, which the compiler cannot follow.
      const call = { ...parsed, operations, request, origin, key, clientLeft } as Call<Definition>;
      return withHeaders(toResponse(await answer(call)), budget);
    } catch (error) {
      const problem = toProblem(error, context);
      if (!problem) throw error;
      await recordRefusal(route, problem, request, operations);
      return withHeaders(toAnswer(problem), budget);
    }
  };
}

/** An answer of JSON that follows the schema of the status. */
export function reply<const Status extends number, Json>(
  status: Status,
  json: Json,
  headers: Readonly<Record<string, string>> = {},
) {
  return { status, json, headers };
}

/** An answer of text, with its content type. */
export function replyText<const Status extends number>(
  status: Status,
  text: string,
  type: string,
  headers: Readonly<Record<string, string>> = {},
) {
  return { status, text, type, headers };
}

/** An answer of server-sent events. */
export function replyStream<const Status extends number>(
  status: Status,
  stream: ReadableStream<Uint8Array>,
) {
  return { status, stream, type: "text/event-stream" };
}

interface PlainAnswer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly stream?: ReadableStream<Uint8Array>;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function toResponse(answer: PlainAnswer): HttpResponseInit {
  const { status, json, text, stream, headers = {} } = answer;
  const { type = "application/json; charset=utf-8" } = answer;
  return {
    status,
    headers: { "content-type": type, "cache-control": "no-store", ...headers },
    // The library has its own name for the stream of the platform.
    body: (stream as HttpResponseInit["body"]) ?? text ?? JSON.stringify(json),
  };
}

function toProblem(error: unknown, context: InvocationContext): ProblemError | undefined {
  if (error instanceof ProblemError) return error;
  if (isConfigError(error)) return invalid(`${error.message}.`);
  if (isKeyReused(error)) return new ProblemError("idempotency-key-reused", `${error.message}.`);
  const unreadable = findUnreadableRow(error);
  if (unreadable !== undefined) {
    return new ProblemError("record-unreadable", unreadable, { headers: { "retry-after": "60" } });
  }
  if (isBusy(error)) return new ProblemError("busy", busy, { headers: { "retry-after": "1" } });
  const vault = findVaultOutage(error);
  if (vault !== undefined) {
    return new ProblemError("vault-unavailable", vault, { headers: { "retry-after": "10" } });
  }
  const server = findTargetOutage(error);
  if (server !== undefined) {
    return new ProblemError("target-unavailable", server, { headers: { "retry-after": "10" } });
  }
  if (!isUnavailable(error)) return undefined;
  context.warn(error.message);
  return new ProblemError("journal-unavailable", unavailable, { headers: { "retry-after": "10" } });
}
