import fc from "fast-check";
import { document, type Parameter, type Route, routes, type Schema } from "./answer-checks.ts";

/** A request for one route. Broken parts are only slightly wrong, as a person or a program would send them. */
export interface SentRequest {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Values that exist in the world of the test, by the names of parameters and fields. */
export type KnownValues = Readonly<Record<string, readonly string[]>>;

/** Makes requests for every route from the schemas of the document. Plans, which take longer, are rare. */
export function arbitraryRequest(known: KnownValues): fc.Arbitrary<SentRequest> {
  const weightOf = ({ path }: Route) => (path === "/api/plan" ? 1 : 5);
  return fc.oneof(
    ...routes.map((route) => ({ weight: weightOf(route), arbitrary: requestFor(route, known) })),
  );
}

function requestFor(route: Route, known: KnownValues): fc.Arbitrary<SentRequest> {
  const { parameters = [], requestBody } = route.operation;
  const query = parameters.filter((it) => it.in === "query");
  return fc.record({
    route: fc.constant(route),
    params: fc.record(valuesOf(parameters, "path", known)),
    query: queryOf(query, known),
    headers: headersOf(parameters, requestBody !== undefined, known),
    body: requestBody ? bodyOf(requestBody.content, known) : fc.constant(undefined),
  });
}

function valuesOf(parameters: readonly Parameter[], place: string, known: KnownValues) {
  const used = parameters.filter((it) => it.in === place);
  return Object.fromEntries(
    used.map(({ name, schema }) => [name, nearly(valid(name, schema, known)).filter(isSegment)]),
  );
}

/** An address has no empty segments, and `.` and `..` mean other addresses. */
const isSegment = (text: string) => text !== "" && !/^\.+$/.test(text);

function queryOf(parameters: readonly Parameter[], known: KnownValues) {
  const given = parameters.map(({ name, schema }) =>
    fc.tuple(fc.constant(name), nearly(valid(name, schema, known))),
  );
  const unknown = fc.tuple(fc.constantFrom("limti", "Limit", "x", "reason"), fc.string());
  const rarely = fc.array(unknown, { maxLength: 2 });
  if (given.length === 0) {
    return fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: rarely });
  }
  const one = fc.oneof(...given);
  return fc.oneof(
    { weight: 6, arbitrary: fc.uniqueArray(one, { maxLength: 3, selector: ([name]) => name }) },
    { weight: 1, arbitrary: fc.array(one, { maxLength: 3 }) },
    { weight: 1, arbitrary: rarely },
  );
}

function headersOf(parameters: readonly Parameter[], hasBody: boolean, known: KnownValues) {
  const own = parameters.filter((it) => it.in === "header");
  const headers = own.map(({ name, schema }) =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constant({}) },
      {
        weight: 2,
        arbitrary: valid(name, schema, known).map((value) => ({ [name]: value })),
      },
      { weight: 1, arbitrary: fc.constant({ [name]: "with a space" }) },
    ),
  );
  const type = fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom("text/plain", "application/json; charset=utf-16", "") },
  );
  return fc.tuple(type, fc.tuple(...headers)).map(([contentType, rest]) => {
    const sent: Record<string, string> = {};
    for (const header of rest) Object.assign(sent, header);
    if (hasBody && contentType !== undefined) sent["content-type"] = contentType;
    return sent;
  });
}

/** A body, with the content type in front unless another one is sent. */
function bodyOf(content: Readonly<Record<string, { schema: Schema }>>, known: KnownValues) {
  const json = content["application/json"];
  if (!json) {
    const broken = ["", "version: 1\n", "{", "targets: [", "a: &a [*a]\n"];
    return fc.constantFrom(...(known["configuration"] ?? []), ...broken);
  }
  const { properties = {}, required = [] } = json.schema;
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      fc.oneof(
        { weight: 12, arbitrary: valid(name, schema, known) },
        { weight: 1, arbitrary: nearly(valid(name, schema, known)) },
        { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
      ),
    ]),
  );
  const object = fc.record(fields, { requiredKeys: required.slice() });
  return fc.oneof(
    { weight: 8, arbitrary: object.map((it) => JSON.stringify(it)) },
    { weight: 1, arbitrary: fc.constantFrom("", "{", "[]", "null", '{"by":"a","by":"b"}') },
    { weight: 1, arbitrary: fc.json({ maxDepth: 2 }) },
    { weight: 1, arbitrary: object.map((it) => JSON.stringify({ ...it, reson: 1 })) },
  );
}

/** Text that the schema permits, mostly of what exists in the world. */
function valid(name: string, schema: Schema, known: KnownValues): fc.Arbitrary<string> {
  const made = fromSchema(resolve(schema));
  const there = known[name];
  if (!there || there.length === 0) return made;
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...there) },
    { weight: 1, arbitrary: made },
  );
}

function fromSchema(schema: Schema): fc.Arbitrary<string> {
  const { minimum, maximum, examples, pattern } = schema;
  const { minLength = 0, maxLength = 30 } = schema;
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (minimum !== undefined && maximum !== undefined) {
    return fc.integer({ min: minimum, max: maximum }).map(String);
  }
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, "u"));
  if (examples) return fc.constantFrom(...examples);
  return fc.string({ unit: "grapheme", minLength, maxLength });
}

function resolve(schema: Schema): Schema {
  const name = schema.$ref?.replace("#/components/schemas/", "");
  return name === undefined ? schema : (document.components.schemas[name] ?? {});
}

/** Mostly the text itself; otherwise one character more, less or changed, or any text. */
function nearly(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 15, arbitrary: text },
    { weight: 1, arbitrary: fc.tuple(text, fc.string({ maxLength: 2 })).map((it) => it.join("")) },
    { weight: 1, arbitrary: text.map((it) => it.slice(0, -1)) },
    { weight: 1, arbitrary: text.map((it) => it.toUpperCase()) },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme" }) },
    { weight: 1, arbitrary: fc.constantFrom("", "0", "-1", "1e3", "null", "%00", "a,b", "\0") },
  );
}

/** The address of the request, without the host. */
export function toPath({ route, params, query }: SentRequest): string {
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent(params[name] ?? ""),
  );
  const search = new URLSearchParams();
  for (const [name, value] of query) search.append(name, value);
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}

/** The headers of the request, with the content type of the route unless the request has another one. */
export function toHeaders({ route, headers, body }: SentRequest): Record<string, string> {
  const [type] = Object.keys(route.operation.requestBody?.content ?? {});
  return {
    ...(type !== undefined && body !== undefined && body !== "" && { "content-type": type }),
    ...headers,
  };
}
