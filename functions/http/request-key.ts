import type { HttpRequest } from "@azure/functions";
import { hashOf, type RequestKey } from "../../shared/app.ts";
import { identifyCaller } from "./caller.ts";
import type { EndpointDefinition } from "./endpoint.ts";

interface ParsedRequest {
  readonly params: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** The idempotency key of the caller and the request that it belongs to, as hashes. Undefined without the header. */
export function readRequestKey(
  request: HttpRequest,
  { route, secretFields = [] }: EndpointDefinition,
  { params, headers, body }: ParsedRequest,
): RequestKey | undefined {
  const key = headers["idempotency-key"];
  if (typeof key !== "string") return undefined;
  const isSecret = (field: string) => secretFields.includes(field);
  return {
    id: hashOf([identifyCaller(request), key]),
    request: hashOf([route, params, withoutFields(body, isSecret)]),
  };
}

function withoutFields(body: unknown, isLeftOut: (field: string) => boolean): unknown {
  if (typeof body !== "object" || body === null) return body;
  return Object.fromEntries(Object.entries(body).filter(([field]) => !isLeftOut(field)));
}
