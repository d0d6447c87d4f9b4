import type { HttpRequest } from "@azure/functions";
import type { z } from "zod";
import { findNearest } from "../../shared/app.ts";
import { readObject, readText } from "./body.ts";
import type { BodyDefinition, EndpointDefinition } from "./endpoint.ts";
import { platformNames } from "./pages.ts";
import { unprintable } from "./printable-text.ts";
import { invalid, type ProblemError } from "./problem.ts";

/** Everything that the caller sent, parsed as the endpoint defines it. Throws ProblemError for the first mistake. */
export async function parseRequest(request: HttpRequest, definition: EndpointDefinition) {
  const query = parseQuery(request, definition.query);
  const params = parse(definition.params, request.params, "path parameter");
  const headers = parseHeaders(request, definition.headers);
  const body = await parseBody(request, definition.body);
  return { query, params, headers, body };
}

/** Rejects unknown and repeated parameters: a mistyped one must not silently change the answer. */
function parseQuery({ query, url }: HttpRequest, schema: z.ZodObject | undefined) {
  const names = [...query.keys()].filter((name) => !platformNames.includes(name));
  rejectUnknown("query parameter", names, Object.keys(schema?.shape ?? {}));
  // The host joins the values of a repeated parameter with a comma in `query`. Only the address shows the repetition.
  const sent = [...new URL(url).searchParams.keys()];
  const twice = names.find((name) => sent.indexOf(name) !== sent.lastIndexOf(name));
  if (twice !== undefined) {
    throw invalid(`Query parameter \`${twice}\` is given more than once. Give it once.`);
  }
  const given = Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""]));
  return parse(schema, given, "query parameter");
}

/** Only the headers that the endpoint defines: a caller may send others. */
function parseHeaders({ headers }: HttpRequest, schema: z.ZodObject | undefined) {
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema?.shape ?? {})) {
    const value = headers.get(name);
    if (value !== null) given[name] = value;
  }
  return parse(schema, given, "header");
}

async function parseBody(request: HttpRequest, body: BodyDefinition | undefined): Promise<unknown> {
  if (!body) return undefined;
  if ("text" in body) return readText(request, body.types, body.maxBytes);
  return parse(body.json, await readObject(request, body.maxBytes), "field");
}

type Kind = "field" | "query parameter" | "path parameter" | "header";

function parse(
  schema: z.ZodObject | undefined,
  given: object,
  kind: Kind,
): Record<string, unknown> {
  if (!schema) return {};
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
  if (issue?.code === "unrecognized_keys") {
    rejectUnknown(kind, issue.keys, Object.keys(schema.shape));
  }
  if (issue?.code === "invalid_value") {
    const field = String(issue.path[0]);
    const value: unknown = Reflect.get(given, field);
    const text = typeof value === "string" ? value : "";
    // The message does not repeat the value, which could be a secret in the wrong field.
    throw unknownWord(`Unknown value of \`${field}\`.`, text, issue.values.map(String));
  }
  throw invalid(issue?.message ?? `A ${kind} is invalid.`);
}

/** Rejects an unknown name and suggests a similar one. The message repeats names, never values. */
function rejectUnknown(kind: Kind, given: readonly string[], allowed: readonly string[]): void {
  const unknown = given.find((name) => !allowed.includes(name));
  if (unknown === undefined) return;
  const shown = unknown.replace(new RegExp(unprintable, "gu"), " ").slice(0, 100);
  throw unknownWord(`Unknown ${kind} \`${shown}\`.`, unknown, allowed);
}

function unknownWord(what: string, word: string, allowed: readonly string[]): ProblemError {
  const near = findNearest(word, allowed);
  const hint = near === undefined ? "" : ` Did you mean \`${near}\`?`;
  const names = allowed.length === 0 ? "none" : allowed.join(", ");
  return invalid(`${what}${hint} Allowed: ${names}.`);
}
