import { describe, expect, test } from "vitest";
import {
  parseHostJson,
  resolveConnection,
  resolvePlaceholders,
} from "../../../local/host/host-json.ts";
import { comparePrecedence, matchRoute, parseRoute } from "../../../local/host/http/routes.ts";

const match = (templates: readonly string[], path: string) => {
  const routes = templates
    .map((template) => parseRoute({ prefix: "api", template, methods: ["get"], target: template }))
    .toSorted(comparePrecedence);
  return matchRoute(routes, "GET", path);
};

describe("A route", () => {
  test.each([
    ["a/{id}", "/api/a/1", { id: "1" }],
    ["a/{id}", "/API/A/x%2Fy/", { id: "x/y" }],
    ["a/{id}", "/api/a", undefined],
    ["a/{id}", "/api/a/1/2", undefined],
    ["a/{id?}", "/api/a", {}],
    ["a/{id=7}", "/api/a", { id: "7" }],
    ["a/{id:alpha}", "/api/a/abc", { id: "abc" }],
    ["a/{id:alpha}", "/api/a/a1", undefined],
    ["a/{id:int?}", "/api/a/-12", { id: "-12" }],
    ["a/{id:guid}", "/api/a/8c4cbd7e-1f5c-4c3e-9a7e-0d1f2a3b4c5d", expect.anything()],
    ["a/{id:maxlength(3)}", "/api/a/anything", { id: "anything" }],
    ["a/{*rest}", "/api/a/b/c", { rest: "b/c" }],
    ["a/{*rest}", "/api/a", {}],
    ["{a}/{b}", "/api/%E0%A4%A/1", undefined],
  ])("%s seen from %s gives %o", (template, path, parameters) => {
    expect(match([template], path)?.parameters).toEqual(parameters);
  });

  test.each([
    [["{id}", "status"], "/api/status", "status"],
    [["{id}", "{id:int}"], "/api/12", "{id:int}"],
    [["{*rest}", "{id}"], "/api/12", "{id}"],
    [["{a}/fixed", "fixed/{b}"], "/api/fixed/fixed", "fixed/{b}"],
  ])("among %j, %s matches the most specific one", (templates, path, best) => {
    expect(match(templates, path)?.target).toBe(best);
  });

  test("with a parameter that is only a part of a segment is refused", () => {
    expect(() => match(["a-{id}"], "/")).toThrow(/"a-\{id\}" is not supported/);
  });
});

describe("host.json", () => {
  test("has the defaults of Azure, except for polling", () => {
    const { http, queues } = parseHostJson('{"version":"2.0"}', {}).extensions;
    expect(http.routePrefix).toBe("api");
    expect(queues).toMatchObject({
      batchSize: 16,
      maxDequeueCount: 5,
      visibilityTimeout: 0,
      maxPollingInterval: 2_000,
      messageEncoding: "base64",
    });
    expect(queues.newBatchThreshold).toBeGreaterThanOrEqual(8);
  });

  test("is overridden by app settings, and may contain time spans", () => {
    const text = '{"version":"2.0","extensions":{"queues":{"visibilityTimeout":"1.02:03:04.5"}}}';
    const settings = {
      AzureFunctionsJobHost__extensions__queues__batchSize: "3",
      AzureFunctionsJobHost__Extensions__http__RoutePrefix: "",
    };
    const { http, queues } = parseHostJson(text, settings).extensions;
    expect(queues).toMatchObject({ batchSize: 3, visibilityTimeout: 93_784_500 });
    expect(http.routePrefix).toBe("");
  });

  test.each([
    ['{"version":"1.0"}', /version/],
    ['{"version":"2.0","extensions":{"queues":{"batchSize":33}}}', /extensions\.queues\.batchSize/],
    ['{"version":"2.0","extensions":{"queues":{"maxPollingInterval":"5s"}}}', /not a time span/],
    ["{", /not valid JSON/],
  ])("%s is refused with the reason", (text, reason) => {
    expect(() => parseHostJson(text, {})).toThrow(reason);
  });
});

describe("Settings", () => {
  test("replace every placeholder, and an error names a missing one", () => {
    expect(resolvePlaceholders("%A%-%B% 5%", { A: "x", B: "y" })).toBe("x-y 5%");
    expect(() => resolvePlaceholders("%A%", {})).toThrow(/"A" is missing/);
  });

  test("give connections by name, first with the host's prefix, and the host's own by default", () => {
    const settings = {
      AzureWebJobsStorage: "own",
      Orders: "plain",
      AzureWebJobsOrders: "prefixed",
    };
    expect(resolveConnection("Orders", settings)).toBe("prefixed");
    expect(resolveConnection(undefined, settings)).toBe("own");
    expect(() => resolveConnection("Other", settings)).toThrow(/"Other" is missing/);
  });
});
