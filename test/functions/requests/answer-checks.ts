import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { makeDocument } from "../../../functions/http/document.ts";

/** The parts of the document that the tests read. */
export interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<
    Record<string, { readonly content?: Content; readonly headers?: object }>
  >;
}

export interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly schema: Schema;
}

export type Content = Readonly<Record<string, { readonly schema: Schema }>>;

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly examples?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** The document as programs receive it. */
export const document = JSON.parse(JSON.stringify(makeDocument())) as Document;

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** Every route of the document. */
export const routes: readonly Route[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    operation,
  })),
);

export interface Answered {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly text: string;
}

const ajv = new Ajv2020({ allErrors: true, formats: { "date-time": true } });
ajv.addVocabulary(["components"]);
const compiled = new Map<Schema, ValidateFunction>();

function validatorOf(schema: Schema): ValidateFunction {
  const known = compiled.get(schema);
  if (known) return known;
  const { components } = document;
  const made = ajv.compile({ ...schema, components });
  compiled.set(schema, made);
  return made;
}

/** Returns what is wrong with a value, by a schema of the document. Empty: nothing. */
export function listMistakes(schema: Schema, value: unknown): string {
  const isValid = validatorOf(schema);
  return isValid(value) ? "" : ajv.errorsText(isValid.errors);
}

/** Returns how the answer differs from what the document says about the route. Empty: it does not. */
export function checkAnswer({ operation }: Route, { status, headers, text }: Answered): string {
  const answer = operation.responses[status];
  if (!answer) return `status ${status} is not in the document: ${text}`;
  if (!answer.content) return text === "" ? "" : `status ${status} has a body: ${text}`;
  const missing = Object.keys(answer.headers ?? {}).filter((name) => headers.get(name) === null);
  if (missing.length > 0) return `the headers ${missing.join()} are missing`;
  const type = headers.get("content-type")?.split(";")[0] ?? "none";
  const content = answer.content[type];
  if (!content) return `content type ${type} is not in the document for status ${status}`;
  const mistakes = listMistakes(content.schema, type.endsWith("json") ? JSON.parse(text) : text);
  return mistakes === "" ? "" : `${mistakes} in ${text}`;
}
