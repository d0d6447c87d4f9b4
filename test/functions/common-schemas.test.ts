import { HttpRequest } from "@azure/functions";
import { expect, test } from "vitest";
import { describeCaller } from "../../functions/http/caller.ts";
import { sentence } from "../../functions/schemas/common.ts";

const read = (value: unknown) => sentence("by", "who saw it").parse(value);

test.each(["anna@example.com", "Ärger 世界 \u{1f511}", "a".repeat(200)])(
  "A report can contain: %s",
  (text) => {
    expect(read(text)).toBe(text);
  },
);

test.each([
  ["nothing", ""],
  ["too much", "a".repeat(201)],
  ["no text", 1],
  ["a line break", "a\nb"],
  ["an escape sequence", "\u001b[2J"],
  ["a C1 control", "a\u009bb"],
  ["a line separator", "a\u2028b"],
  ["a paragraph separator", "a\u2029b"],
  ["a text that runs backwards", "a\u202eb"],
  ["an isolate", "a\u2066b"],
  ["a zero-width space", "a\u200bb"],
  ["half of a surrogate pair", "a\ud83db"],
])("A report cannot contain %s", (_what, text) => {
  expect(() => read(text)).toThrow("`by` must contain");
});

test("The name of a signed-in caller cannot act on a terminal", () => {
  const principal = { claims: [{ typ: "appid", val: "a\u001b[2J\u202eb" }] };
  const header = Buffer.from(JSON.stringify(principal)).toString("base64");
  const headers = { "x-ms-client-principal": header };
  const request = new HttpRequest({ method: "POST", url: "http://localhost/", headers });
  const caller = describeCaller(request, { WEBSITE_AUTH_ENABLED: "true" });
  expect(caller).toBe(String.raw`a\u001b[2J\u202eb`);
});
