import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { makeWebhookDocument } from "../../scripts/webhook-document.ts";
import { answers, requestSchema } from "../../shared/rotators/webhook/webhook-protocol.ts";

const document = makeWebhookDocument();
const file = resolve(import.meta.dirname, "../../docs/rotators/webhook-openapi.json");

async function lint(text: object): Promise<string[]> {
  const config = await createConfig({ extends: ["recommended"] });
  const source = JSON.stringify(text);
  const problems = await lintFromString({ source, config, absoluteRef: "openapi.json" });
  return problems.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

test("the checked-in document is up to date", async () => {
  const written: unknown = JSON.parse(await readFile(file, "utf8"));
  expect(written, "run node scripts/run.mjs scripts/write-webhook-document.ts").toEqual(
    JSON.parse(JSON.stringify(document)),
  );
});

test("an OpenAPI linter finds no problem in the document, and would find one", async () => {
  expect(await lint(document)).toEqual([]);
  const { Ok: _, ...schemas } = document.components?.schemas ?? {};
  expect(await lint({ ...document, components: { ...document.components, schemas } })).not.toEqual(
    [],
  );
});

const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(
  JSON.parse(JSON.stringify(document)) as object,
  "document",
);
const isValid = (component: string, value: unknown) =>
  ajv.validate({ $ref: `document#/components/schemas/${component}` }, value);

test.each([
  ["AnswerToExamine", { answer: "ok", obstacles: ["locked"] }, true],
  ["AnswerToExamine", { answer: "accepted" }, false],
  ["AnswerToApply", { answer: "ok", note: "a field of the endpoint" }, true],
  ["AnswerToApply", { answer: "refused" }, false],
  ["AnswerToVerify", { answer: "rejected" }, true],
  ["AnswerToVerify", { answer: "ok" }, false],
  ["AnswerToHasSessions", { answer: "yes" }, true],
  ["AnswerToRetire", { answer: "unknown" }, true],
])("the document and the parser agree about %s %j: %s", (component, value, expected) => {
  const operation = component.slice("AnswerTo".length);
  const name = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}`;
  const [, parser] = Object.entries(answers).find(([key]) => key === name) ?? [];
  expect([isValid(component, value), parser?.safeParse(value).success]).toEqual([
    expected,
    expected,
  ]);
});

test("the document accepts exactly the requests that the schema accepts", () => {
  const right = {
    ...{ version: 1, request: "3f2b8c1e-4b8e-4d0e-9a43-0d7a4a1c5b1f", operation: "apply" },
    ...{ account: "app", secret: "new" },
  };
  const { secret: _, ...without } = right;
  for (const [value, expected] of [
    [right, true],
    [without, false],
  ] as const) {
    expect(isValid("ApplyRequest", value)).toBe(expected);
    expect(requestSchema.safeParse(value).success).toBe(expected);
  }
});
