import { createHash } from "node:crypto";
import type { HttpRequest } from "@azure/functions";
import type { RequestKey } from "../../shared/app.ts";
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
    id: hash([identifyCaller(request), key]),
    request: hash([route, params, withoutFields(body, isSecret)]),
  };
}

function withoutFields(body: unknown, isLeftOut: (field: string) => boolean): unknown {
  if (typeof body !== "object" || body === null) return body;
  return Object.fromEntries(Object.entries(body).filter(([field]) => !isLeftOut(field)));
}

/** Objects with the same fields have the same hash, in whatever order the fields come. */
function hash(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sortFields(value)))
    .digest("hex");
}

function sortFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortFields);
  if (typeof value !== "object" || value === null) return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([field, one]) => [field, sortFields(one)]));
}
