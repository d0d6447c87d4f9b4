import { createDocument } from "zod-openapi";
import * as dryRuns from "../schemas/dry-runs.ts";
import * as explanations from "../schemas/explanations.ts";
import * as plans from "../schemas/plans.ts";
import { problem } from "../schemas/problems.ts";
import * as reports from "../schemas/reports.ts";
import * as rotations from "../schemas/rotations.ts";
import * as service from "../schemas/service.ts";
import * as targets from "../schemas/targets.ts";
import type { EndpointDefinition } from "./endpoint.ts";
import { type ProblemKind, problemKinds, problemType } from "./problem-kinds.ts";
import { type Route, routes } from "./routes.ts";

/** Every endpoint, in the order of the document. */
export const endpoints: readonly EndpointDefinition[] = [
  targets.listTargets,
  targets.getTarget,
  explanations.explainTarget,
  dryRuns.dryRun,
  rotations.requestRotation,
  rotations.listRotations,
  rotations.getRotation,
  reports.reportExposure,
  reports.reportUse,
  plans.getPlan,
  plans.planEdit,
  service.listAlarms,
  service.getHealth,
  service.getDocument,
];

/** The OpenAPI document of the API, made from the schemas that parse requests and type answers. */
export function makeDocument() {
  const paths: Record<string, Record<string, object>> = {};
  for (const definition of endpoints) {
    const { method, path } = routes[definition.route];
    (paths[`/api/${path}`] ??= {})[method.toLowerCase()] = describe(definition);
  }
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "Keyturn",
      version: "1",
      description:
        "Rotates database passwords and other credentials on Azure. No route answers with a secret.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "The app itself" }],
    security: [{ functionKey: [] }],
    paths: paths,
    components: {
      securitySchemes: {
        functionKey: { type: "apiKey", in: "header", name: "x-functions-key" },
      },
    },
  });
}

function describe(definition: EndpointDefinition): object {
  const { route, summary, description, params, query, headers, body } = definition;
  const { authLevel }: Route = routes[route];
  return {
    operationId: route.replace(/^api-/, ""),
    summary,
    ...(description !== undefined && { description }),
    ...(authLevel === "anonymous" && { security: [] }),
    requestParams: {
      ...(params && { path: params }),
      ...(query && { query }),
      ...(headers && { header: headers }),
    },
    ...(body && { requestBody: describeBody(body) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(definition.answers).map(([status, { content, ...rest }]) => [
          status,
          { ...rest, content: mapValues(content, (schema) => ({ schema })) },
        ]),
      ),
      ...describeProblems(definition),
    },
  };
}

function describeBody(body: NonNullable<EndpointDefinition["body"]>): object {
  if ("text" in body) {
    const content: Record<string, object> = {};
    for (const type of body.types) content[type] = { schema: body.text };
    return { required: true, content };
  }
  const isRequired = !body.json.safeParse({}).success;
  return { required: isRequired, content: { "application/json": { schema: body.json } } };
}

/** The problems that every route may answer with, because it reads the request or the journal. */
export function listProblems({ body, problems, route }: EndpointDefinition): ProblemKind[] {
  const kinds: ProblemKind[] = ["invalid-request", ...problems];
  if (body) kinds.push("body-too-large", "unsupported-content-type");
  if (route !== "api-openapi" && route !== "api-health") kinds.push("journal-unavailable");
  if (routes[route].path.includes("{target}")) kinds.push("record-unreadable");
  return kinds;
}

function describeProblems(definition: EndpointDefinition): object {
  const byStatus = new Map<number, ProblemKind[]>();
  for (const kind of listProblems(definition)) {
    const { status } = problemKinds[kind];
    byStatus.set(status, [...(byStatus.get(status) ?? []), kind]);
  }
  const described = [...byStatus].map(([status, kinds]) => {
    const types = kinds.map((kind) => `\`${problemType(kind)}\``);
    const description = kinds.map((kind) => problemKinds[kind].title).join("; ");
    const content = { "application/problem+json": { schema: problem } };
    return [status, { description: `${description}. Types: ${types.join(", ")}.`, content }];
  });
  return Object.fromEntries(described) as object;
}

function mapValues<Value, Result>(
  values: Readonly<Record<string, Value>>,
  map: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
