import type { HttpRequest } from "@azure/functions";
import type { Origin } from "../../shared/app.ts";
import { describeCaller } from "./caller.ts";
import type { EndpointDefinition } from "./endpoint.ts";

/** Who sent the request, and the reason and the ticket in its parsed body. */
export function readOrigin(request: HttpRequest, body: unknown): Origin {
  const given = (field: string) => {
    const value: unknown = Reflect.get(Object(body), field);
    return typeof value === "string" ? { [field]: value } : {};
  };
  return { by: describeCaller(request), ...given("reason"), ...given("ticket") };
}

/** Whether the configuration may require a reason and a ticket from callers of the route. */
export function takesJustification({ body }: EndpointDefinition): boolean {
  return body !== undefined && "json" in body && "ticket" in body.json.shape;
}
