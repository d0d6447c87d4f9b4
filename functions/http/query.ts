import type { HttpRequest } from "@azure/functions";
import { RequestError } from "./request-error.ts";
import { refuseUnknown } from "./request-fields.ts";

/** Query parameters of the Functions host itself: the access key and its client id. */
const platformNames = ["code", "clientId"];

/** Throws RequestError for an unknown or repeated parameter: a mistyped one must not silently change the answer. */
export function checkQuery({ query }: HttpRequest, allowed: readonly string[]): void {
  const names = [...query.keys()].filter((name) => !platformNames.includes(name));
  refuseUnknown("query parameter", names, allowed);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new RequestError(
    400,
    `Query parameter \`${twice}\` is given more than once. Give it once.`,
  );
}
