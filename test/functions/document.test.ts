import { createConfig, lintFromString } from "@redocly/openapi-core";
import { expect, test } from "vitest";
import { endpoints, makeDocument } from "../../functions/http/document.ts";
import type { EndpointDefinition } from "../../functions/http/endpoint.ts";
import { routes } from "../../functions/http/routes.ts";
import { requests } from "../../scripts/api-reference/introduction.ts";
import { viewBreach, viewItem } from "../../shared/core/breach/views.ts";
import { recordSchema } from "../../shared/core/record/record.ts";
import { explainTarget, explainUnreadable, viewRun } from "../../shared/core/views.ts";
import { target } from "../core/orders.ts";
import { fullBreach, fullItem, leanBreach, leanItem } from "../stores/full-breaches.ts";
import { fullRun, fullTarget } from "../stores/full-records.ts";
import { document, listMistakes, type Schema } from "./requests/answer-checks.ts";

/** What an independent linter of OpenAPI finds, with the rules that it recommends. */
async function lint(text: object): Promise<string[]> {
  const config = await createConfig({ extends: ["recommended"] });
  const source = JSON.stringify(text);
  const problems = await lintFromString({ source, config, absoluteRef: "openapi.json" });
  return problems.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

const component = (name: string): Schema => document.components.schemas[name] ?? {};

test("The document has no problem that an OpenAPI linter finds", async () => {
  expect(await lint(document)).toEqual([]);
});

test.each([
  ["an unknown reference", "no-unresolved-refs", { Target: { $ref: "#/components/schemas/None" } }],
  ["an unknown type", "struct", { Target: { type: "text" } }],
])("The linter finds %s", async (_what, rule, schemas) => {
  const components = { ...document.components };
  const broken = { ...document, components: { ...components, schemas } };
  expect(await lint(broken)).toContainEqual(expect.stringContaining(`${rule}: `));
});

test("The document and the reference name every route that accepts a secret", () => {
  const all: readonly EndpointDefinition[] = Object.values(endpoints);
  const accepting = all.filter(({ secretFields = [] }) => secretFields.length > 0);
  expect(accepting).toEqual([endpoints.importSecret]);
  const { method, path } = routes[endpoints.importSecret.route];
  expect(requests).toContain(`Only \`${method} /api/${path}\` accepts one.`);
  expect(makeDocument().info.description).toContain("Only an import accepts one.");
});

const now = "2026-03-01T11:00:00.000Z";

test("A record in which every field has a value has a view that matches the schema", () => {
  const view = explainTarget(target, fullTarget(target.id), now);
  expect(listMistakes(component("ExplainedTarget"), view)).toBe("");
  const { passedOver: _, policiesPassedOver: _none, ...listed } = view;
  expect(listMistakes(component("Target"), listed)).toBe("");
  const run = viewRun(fullRun(target.id, "01JNN000000000000000000000"));
  expect(listMistakes(component("Rotation"), run)).toBe("");
});

test("A breach and its target in which every field has a value, or none, match their schemas", () => {
  const id = "01JNN000000000000000000000";
  for (const breach of [fullBreach(id), leanBreach(id)]) {
    expect(listMistakes(component("Breach"), viewBreach(breach, now))).toBe("");
  }
  for (const item of [fullItem(id, 1), leanItem(id, 2)]) {
    expect(listMistakes(component("BreachTarget"), viewItem(item))).toBe("");
  }
});

test("A target without a record, or with an unreadable one, has a view that matches the schema", () => {
  const fresh = explainTarget(target, undefined, now);
  const unreadable = explainUnreadable(target, `schema ${recordSchema + 1}`);
  for (const view of [fresh, unreadable]) {
    expect(listMistakes(component("ExplainedTarget"), view)).toBe("");
  }
});

test("A field that the schema does not know is a mistake", () => {
  const view = { ...explainTarget(target, undefined, now), password: "x" };
  expect(listMistakes(component("ExplainedTarget"), view)).toContain("additional properties");
});
