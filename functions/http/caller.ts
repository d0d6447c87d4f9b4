import type { HttpRequest } from "@azure/functions";
import { toPrintable } from "../../shared/app.ts";

const nameClaims = new Set([
  "preferred_username",
  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
  "appid",
  "azp",
]);

/**
 * Describes the caller for the history. Trusts the platform's header only where platform authentication is on: without it,
 * the platform does not remove a header that the caller forged.
 */
export function describeCaller(request: HttpRequest, environment = process.env): string {
  const header = request.headers.get("x-ms-client-principal");
  if (header === null || environment["WEBSITE_AUTH_ENABLED"]?.toLowerCase() !== "true") {
    return "function key";
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
