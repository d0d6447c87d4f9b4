import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import type { Admission, Operations } from "../../shared/app.ts";
import { identifyCaller } from "./caller.ts";
import { ProblemError } from "./problem.ts";
import type { Route } from "./routes.ts";

type Headers = Readonly<Record<string, string>>;

/**
 * Counts the request, and returns headers that report what is left of the budget. Throws ProblemError when nothing is left. Routes that
 * need no key have no caller to count for.
 */
export async function countRequest(
  request: HttpRequest,
  { method, authLevel }: Route,
  operations: Operations,
): Promise<Headers> {
  if (authLevel === "anonymous") return {};
  const kind = method === "GET" ? "reads" : "writes";
  const admission = await operations.admit(identifyCaller(request), kind);
  if (!admission) return {};
  const headers = toHeaders(kind, admission);
  const { wait, limit } = admission;
  if (wait === 0) return headers;
  const seconds = Math.ceil(wait / 1_000);
  const what = kind === "reads" ? "GET" : "POST";
  throw new ProblemError(
    "too-many-requests",
    `You sent too many ${what} requests. The limit is ${limit} in a minute. Try again in ${seconds} s.`,
    { headers: { ...headers, "retry-after": String(seconds) } },
  );
}

/** The header fields of draft-ietf-httpapi-ratelimit-headers: the policy, what remains, and the seconds until all of it is available. */
function toHeaders(kind: string, { limit, remaining, fullIn }: Admission): Headers {
  return {
    "ratelimit-policy": `"${kind}";q=${limit};w=60`,
    ratelimit: `"${kind}";r=${remaining};t=${Math.ceil(fullIn / 1_000)}`,
  };
}

export function withHeaders(answer: HttpResponseInit, added: Headers): HttpResponseInit {
  return { ...answer, headers: { ...(answer.headers as Headers | undefined), ...added } };
}
