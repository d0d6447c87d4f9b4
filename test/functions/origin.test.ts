import { HttpRequest } from "@azure/functions";
import { expect, test } from "vitest";
import { endpoints } from "../../functions/http/document.ts";
import { readOrigin, takesJustification } from "../../functions/http/origin.ts";
import { type Route, routes } from "../../functions/http/routes.ts";

test("Every route that changes something takes a reason and a ticket, except reports of uses", () => {
  const without = Object.entries(endpoints)
    .filter(([, definition]) => {
      const { method }: Route = routes[definition.route];
      return method === "POST" && !takesJustification(definition);
    })
    .map(([id]) => id);
  expect(without.sort()).toEqual(["dryRun", "planEdit", "reportUse", "verifyTarget"]);
});

test("The origin of a request is its caller, with the reason and the ticket of its body", () => {
  const request = new HttpRequest({ method: "POST", url: "http://localhost/api/x" });
  const by = "function key";
  expect(readOrigin(request, undefined)).toEqual({ by });
  expect(readOrigin(request, { reason: "leak", ticket: "INC0007", cause: "exposure" })).toEqual({
    by,
    reason: "leak",
    ticket: "INC0007",
  });
  expect(readOrigin(request, { reason: 7 })).toEqual({ by });
});
