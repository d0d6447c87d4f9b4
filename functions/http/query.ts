import type { HttpRequest } from "@azure/functions";
import { refuseUnknown } from "./fields.ts";
import { Refusal } from "./refusal.ts";

/** What the platform takes for itself. */
const platformNames = ["code", "clientId"];

/** A mistyped parameter must not silently give the answer to another question. Throws Refusal. */
export function checkQuery({ query }: HttpRequest, allowed: readonly string[]): void {
  const names = [...query.keys()].filter((name) => !platformNames.includes(name));
  refuseUnknown("query parameter", names, allowed);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new Refusal(400, `Query parameter \`${twice}\` is given more than once. Give it once.`);
}
