import { createDocument } from "zod-openapi";
import * as audit from "../schemas/audit.ts";
import * as breaches from "../schemas/breaches.ts";
import * as dryRuns from "../schemas/dry-runs.ts";
import * as explanations from "../schemas/explanations.ts";
import * as freezes from "../schemas/freezes.ts";
import * as imports from "../schemas/imports.ts";
import * as pauses from "../schemas/pauses.ts";
import * as plans from "../schemas/plans.ts";
import { problem } from "../schemas/problems.ts";
import * as reports from "../schemas/reports.ts";
import * as rotations from "../schemas/rotations.ts";
import * as service from "../schemas/service.ts";
import * as targets from "../schemas/targets.ts";
import * as undos from "../schemas/undos.ts";
import * as verify from "../schemas/verify.ts";
import { type EndpointDefinition, groups } from "./endpoint.ts";
import { type ProblemKind, problemKinds, problemType } from "./problem-kinds.ts";
import { type Route, routes } from "./routes.ts";

/** Every endpoint by its operation id, in the order of the document. */
export const endpoints = {
  listTargets: targets.listTargets,
  getTarget: targets.getTarget,
  explainTarget: explanations.explainTarget,
  dryRun: dryRuns.dryRun,
  requestRotation: rotations.requestRotation,
  importSecret: imports.importSecret,
  undo: undos.undo,
  unblockTarget: undos.unblock,
  listRotations: rotations.listRotations,
  getRotation: rotations.getRotation,
  cancelRotation: rotations.cancelRotation,
  followRotation: rotations.followRotation,
  reportExposure: reports.reportExposure,
  reportUse: reports.reportUse,
  verifyTarget: verify.verify,
  pauseTarget: pauses.pauseTarget,
  resumeTarget: pauses.resumeTarget,
  pauseTargets: pauses.pauseTargets,
  resumeTargets: pauses.resumeTargets,
  createFreeze: freezes.createFreeze,
  listFreezes: freezes.listFreezes,
  endFreeze: freezes.endFreeze,
  previewBreach: breaches.previewBreach,
  listBreaches: breaches.listBreaches,
  getBreach: breaches.getBreach,
  listBreachTargets: breaches.listBreachTargets,
  confirmBreach: breaches.confirmBreach,
  pauseBreach: breaches.pauseBreach,
  resumeBreach: breaches.resumeBreach,
  cancelBreach: breaches.cancelBreach,
  getPlan: plans.getPlan,
  planEdit: plans.planEdit,
  listAudit: audit.listAudit,
  getAuditHead: audit.getAuditHead,
  listAlarms: service.listAlarms,
  getHealth: service.getHealth,
  getDocument: service.getDocument,
} as const satisfies Readonly<Record<string, EndpointDefinition>>;

/** The OpenAPI document of the API, made from the schemas that parse requests and type answers. */
export function makeDocument() {
  const paths: Record<string, Record<string, object>> = {};
  for (const [id, definition] of Object.entries(endpoints)) {
    const { method, path } = routes[definition.route];
    (paths[`/api/${path}`] ??= {})[method.toLowerCase()] = describe(id, definition);
  }
  return createDocument(
    {
      openapi: "3.1.0",
      info: {
        title: "Keyturn",
        version: "1",
        description:
          "Rotates database passwords and other credentials on Azure. No route returns a secret. Only an import accepts one.",
        license: { name: "MIT", identifier: "MIT" },
      },
      servers: [{ url: "/", description: "The app itself" }],
      security: [{ functionKey: [] }],
      tags: Object.entries(groups).map(([name, description]) => ({ name, description })),
      paths,
      components: {
        securitySchemes: {
          functionKey: { type: "apiKey", in: "header", name: "x-functions-key" },
        },
      },
    },
    {
      override: ({ jsonSchema }) => {
        // Types of the code are read-only, which says nothing about the API.
        delete jsonSchema.readOnly;
      },
    },
  );
}

function describe(operationId: string, definition: EndpointDefinition): object {
  const { route, group, summary, description, params, query, headers, body } = definition;
  const { authLevel }: Route = routes[route];
  const isOpen = authLevel === "anonymous";
  return {
    operationId,
    tags: [group],
    summary,
    ...(description !== undefined && { description }),
    ...(isOpen && { security: [] }),
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
          {
            ...rest,
            ...(Object.keys(content).length > 0 && {
              content: mapValues(content, (schema) => ({ schema })),
            }),
          },
        ]),
      ),
      ...(!isOpen && { 401: { description: unauthorized } }),
      ...describeProblems(definition),
    },
  };
}

const unauthorized = "The function key is missing or wrong. The platform answers, without a body.";

function describeBody(body: NonNullable<EndpointDefinition["body"]>): object {
  if ("text" in body) {
    const content: Record<string, object> = {};
    for (const type of body.types) content[type] = { schema: body.text };
    return { required: true, content };
  }
  const isRequired = !body.json.safeParse({}).success;
  return { required: isRequired, content: { "application/json": { schema: body.json } } };
}

/** Every kind of problem that the route may answer with. */
export function listProblems(definition: EndpointDefinition): ProblemKind[] {
  const { body, headers, problems, route } = definition;
  const kinds: ProblemKind[] = ["invalid-request", ...problems];
  if (headers && "idempotency-key" in headers.shape) kinds.push("idempotency-key-reused");
  if (body) kinds.push("body-too-large", "unsupported-content-type");
  const { authLevel }: Route = routes[route];
  if (authLevel !== "anonymous") kinds.push("too-many-requests");
  if (route !== "api-openapi" && route !== "api-health") kinds.push("journal-unavailable");
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
