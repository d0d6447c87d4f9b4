import type { HttpRequest } from "@azure/functions";
import { hashOf, toPrintable } from "../../shared/app.ts";

/** The description of a caller that did not sign in. */
const functionKey = "function key";

const nameClaims = new Set([
  "preferred_username",
  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
  "appid",
  "azp",
]);

/**
 * Identifies the caller, for keys and limits that belong to a caller: who signed in, or the function key that was sent. A hash, because
 * the key must not be stored.
 */
export function identifyCaller(request: HttpRequest, environment = process.env): string {
  const name = describeCaller(request, environment);
  const key = request.headers.get("x-functions-key") ?? request.query.get("code") ?? "";
  const secret = name === functionKey ? key : "";
  return hashOf([name, secret]);
}

/**
 * Describes the caller for the history. Trusts the platform's header only where platform authentication is on: without it,
 * the platform does not remove a header that the caller forged.
 */
export function describeCaller(request: HttpRequest, environment = process.env): string {
  const header = request.headers.get("x-ms-client-principal");
  if (header === null || environment["WEBSITE_AUTH_ENABLED"]?.toLowerCase() !== "true") {
    return functionKey;
  }
  return nameIn(header) ?? "a signed-in caller without a name";
}

function nameIn(header: string): string | undefined {
  try {
    const principal: unknown = JSON.parse(Buffer.from(header, "base64").toString("utf8"));
    const claims: unknown = Reflect.get(Object(principal), "claims");
    if (!Array.isArray(claims)) return undefined;
    for (const claim of claims as unknown[]) {
      const type: unknown = Reflect.get(Object(claim), "typ");
      const value: unknown = Reflect.get(Object(claim), "val");
      if (typeof type === "string" && nameClaims.has(type) && typeof value === "string") {
        return toPrintable(value).slice(0, 200);
      }
    }
  } catch {
    // The platform did not write this header, so it has no name.
  }
  return undefined;
}
