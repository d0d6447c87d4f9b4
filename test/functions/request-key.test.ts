import { HttpRequest } from "@azure/functions";
import { describe, expect, it } from "vitest";
import { identifyCaller } from "../../functions/http/caller.ts";
import { endpoints, listProblems } from "../../functions/http/document.ts";
import { takesJustification } from "../../functions/http/origin.ts";
import { readRequestKey } from "../../functions/http/request-key.ts";
import { keyedHeaders } from "../../functions/schemas/common.ts";

const secret = "a-function-key-that-nobody-may-see";
const sent = (headers: Record<string, string> = { "x-functions-key": secret }, query = "") =>
  new HttpRequest({
    method: "POST",
    url: `http://localhost/api/x${query}`,
    headers,
    query: Object.fromEntries(new URLSearchParams(query)),
  });
const parsed = (body: object = {}, key = "k", params: object = {}) => ({
  params,
  headers: { "idempotency-key": key },
  body,
});
const read = (...args: Parameters<typeof parsed>) =>
  readRequestKey(sent(), endpoints.pauseTarget, parsed(...args));

describe("The key of a request", () => {
  it("is absent without the header", () => {
    const without = { params: {}, headers: {}, body: {} };
    expect(readRequestKey(sent(), endpoints.pauseTarget, without)).toBeUndefined();
  });

  it("is the same for the same request, in whatever order its fields come", () => {
    const tags = [{ a: 1, b: [1, 2] }];
    expect(read({ reason: "x", tags, until: "y" })).toEqual(
      read({ until: "y", tags, reason: "x" }),
    );
  });

  it.each<[string, Parameters<typeof parsed>]>([
    ["another field", [{ reason: "x", ticket: "T" }]],
    ["another value", [{ reason: "y" }]],
    ["another order of a list", [{ reason: "x", targets: ["b", "a"] }]],
    ["another parameter", [{ reason: "x" }, "k", { target: "other" }]],
  ])("belongs to another request after a change: %s", (_what, changed) => {
    const plain = read({ reason: "x" });
    const other = read(...changed);
    expect(other?.id).toBe(plain?.id);
    expect(other?.request).not.toBe(plain?.request);
  });

  it("belongs to one route", () => {
    const pause = readRequestKey(sent(), endpoints.pauseTarget, parsed());
    const resume = readRequestKey(sent(), endpoints.resumeTarget, parsed());
    expect(pause?.request).not.toBe(resume?.request);
  });

  it("contains no field that is secret, and nothing that depends on it", () => {
    const definition = { ...endpoints.pauseTarget, secretFields: ["value"] };
    const of = (value: string) => readRequestKey(sent(), definition, parsed({ value, x: 1 }));
    expect(of("one")).toEqual(of("two"));
  });
});

describe("A caller", () => {
  it("is identified by the function key, wherever it is sent, and the key is not shown", () => {
    const inHeader = identifyCaller(sent());
    expect(identifyCaller(sent({}, `?code=${secret}`))).toBe(inHeader);
    expect(identifyCaller(sent({ "x-functions-key": "another" }))).not.toBe(inHeader);
    expect(inHeader).toMatch(/^[0-9a-f]{64}$/);
    expect(inHeader).not.toContain(secret);
  });

  it("is identified by the name that the platform has verified, and not by a header of its own", () => {
    const principal = (name: string) =>
      Buffer.from(JSON.stringify({ claims: [{ typ: "preferred_username", val: name }] })).toString(
        "base64",
      );
    const on = { WEBSITE_AUTH_ENABLED: "true" };
    const as = (name: string, key: string, environment: NodeJS.ProcessEnv) =>
      identifyCaller(
        sent({ "x-ms-client-principal": principal(name), "x-functions-key": key }),
        environment,
      );
    expect(as("anna", "k1", on)).toBe(as("anna", "k2", on));
    expect(as("anna", "k1", on)).not.toBe(as("ben", "k1", on));
    expect(as("anna", "k1", {})).toBe(as("ben", "k1", {}));
  });

  it("cannot take the key of another caller", () => {
    const mine = readRequestKey(sent(), endpoints.pauseTarget, parsed());
    const theirs = readRequestKey(
      sent({ "x-functions-key": "another" }),
      endpoints.pauseTarget,
      parsed(),
    );
    expect(mine?.id).not.toBe(theirs?.id);
    expect(mine?.request).toBe(theirs?.request);
  });
});

/** Routes whose second request finds what the first one did: the state of a breach, or a rotation that is no longer blocked. */
const repeatable = [
  ...["previewBreach", "confirmBreach", "pauseBreach", "resumeBreach", "cancelBreach"],
  "unblockTarget",
];

it("Every route that changes something takes the header, and says that a key can be reused wrongly", () => {
  for (const [id, definition] of Object.entries(endpoints)) {
    const isWrite = takesJustification(definition) || id === "reportUse";
    if (repeatable.includes(id)) continue;
    expect([id, "headers" in definition && definition.headers === keyedHeaders]).toEqual([
      id,
      isWrite,
    ]);
    expect([id, listProblems(definition).includes("idempotency-key-reused")]).toEqual([
      id,
      isWrite,
    ]);
  }
});
