import { makeDocument } from "../../functions/http/document.ts";
import type { Answer, Content, Document, Operation, Parameter, Schema } from "./document-types.ts";
import { type Field, isText, listShared, makeFields, referredName } from "./fields.ts";
import { follow, lists, opening, repeats, requests, writeErrors } from "./introduction.ts";
import { anchorOf, withLinks, wrap, writeTable } from "./markdown.ts";

const problemType = "application/problem+json";

/** Writes the reference page of the API, docs/reference/api.md, from its OpenAPI document. */
export function writeApiReference(): string {
  // The document is JSON that the linter of OpenAPI checks; these are the parts that the page needs.
  const document = makeDocument() as unknown as Document;
  const { schemas } = document.components;
  const { Problem: problem = {} } = schemas;
  const operations = document.tags.map(({ name }) => listOperations(document, name));
  const [errors, shared] = [describeObject(document, problem), listShared(schemas, document)];
  shared.delete("Problem");
  const groups = document.tags.map(({ name, description }, index) =>
    [`## ${name}`, description, ...(operations[index] ?? [])].join("\n\n"),
  );
  const sections = [
    requests,
    repeats,
    follow,
    writeErrors(errors, problem.examples?.[0]),
    lists,
    ...groups,
    writeValues(document),
    ["## Objects", ...[...shared].map((name) => writeObject(document, name))].join("\n\n"),
  ];
  const contents = sections.map((section) => {
    const [, heading = ""] = /^## (.+)$/m.exec(section) ?? [];
    return `- [${heading}](#${anchorOf(heading)})`;
  });
  return `${withLinks([opening, contents.join("\n"), ...sections].join("\n\n"))}\n`;
}

function listOperations(document: Document, tag: string): string[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags.includes(tag))
      .map(([method, operation]) =>
        writeOperation(document, `${method.toUpperCase()} ${path}`, operation),
      ),
  );
}

function writeOperation(document: Document, title: string, operation: Operation): string {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const parts = [
    `### \`${title}\``,
    wrap([`${summary}.`, description].filter((it) => it !== undefined).join(" ")),
    ...writeParameters(document, "Query", "query", parameters),
    ...writeParameters(document, "Header", "header", parameters),
    ...(requestBody ? [writeBody(document, requestBody.content)] : []),
    ...Object.entries(responses).flatMap(([status, answer]) =>
      answer.content && !(problemType in answer.content)
        ? writeAnswer(document, status, answer)
        : [],
    ),
    writeProblems(responses),
  ];
  return parts.join("\n\n");
}

function writeParameters(
  document: Document,
  title: string,
  place: Parameter["in"],
  parameters: readonly Parameter[],
): string[] {
  const { fieldOf } = fieldsIn(document);
  const fields = parameters
    .filter((it) => it.in === place)
    .map(({ name, schema, required = false }) => fieldOf(name, schema, required));
  return fields.length === 0 ? [] : [writeInputs(title, fields)];
}

/** A table of what a caller sends. */
function writeInputs(title: string, fields: readonly Field[]): string {
  return writeTable(
    [title, "Meaning", "Default"],
    fields.map(({ name, meaning, isRequired, default: usual }) => [
      `\`${name}\``,
      meaning,
      isRequired ? "required" : usual,
    ]),
  );
}

function writeBody(document: Document, content: Content): string {
  const { schema } = content["application/json"] ?? {};
  if (schema) return writeInputs("Body", fieldsIn(document).fieldsOf(schema));
  const types = Object.keys(content).map((type) => `\`${type}\``);
  const [first] = Object.values(content);
  return `Body, as ${types.join(" or ")}: ${first?.schema.description ?? ""}`;
}

function writeAnswer(document: Document, status: string, answer: Answer): string[] {
  const { description, content = {}, headers = {} } = answer;
  const others = Object.keys(content).filter((type) => type !== "application/json");
  const lines = [
    `${status}: ${description}`,
    ...Object.entries(headers).map(
      ([name, header]) => `Header \`${name}\`: ${header.description ?? ""}`,
    ),
    ...(others.length > 0 ? [`Also as ${others.map((it) => `\`${it}\``).join(" and ")}.`] : []),
  ];
  const { schema } = content["application/json"] ?? {};
  const object = schema ? describeAnswer(document, schema) : "";
  return [wrap(lines.join(" ")), ...(object === "" ? [] : [object])];
}

function describeAnswer(document: Document, schema: Schema): string {
  const name = referredName(schema) ?? "";
  const isShared = listShared(document.components.schemas, document).has(name);
  return isShared
    ? `The fields of [${name}](#${name.toLowerCase()}).`
    : describeObject(document, schema);
}

/** The fields of an object, with an example if there is one. */
function describeObject(document: Document, schema: Schema): string {
  const { resolve, fieldsOf, findBase } = fieldsIn(document);
  const { examples } = resolve(schema);
  const base = findBase(schema);
  const inherited = Object.keys(document.components.schemas[base ?? ""]?.properties ?? {});
  const isInherited = ({ name }: Field) => inherited.includes(name.split(/[.[]/)[0] ?? "");
  const rows = fieldsOf(schema)
    .filter((field) => !isInherited(field))
    .map(({ name, type, meaning, isRequired }) => [
      `\`${name}\``,
      isRequired ? type : `${type}, optional`,
      meaning,
    ]);
  if (rows.length === 0) return "";
  const isProblem = schema === document.components.schemas["Problem"];
  return [
    ...(base === undefined ? [] : [`The fields of [${base}](#${base.toLowerCase()}), and:`]),
    writeTable(["Field", "Type", "Meaning"], rows),
    ...(examples && !isProblem
      ? [`\`\`\`json\n${JSON.stringify(examples[0], undefined, 2)}\n\`\`\``]
      : []),
  ].join("\n\n");
}

/** The kinds of problems are named in the descriptions of their answers. */
function writeProblems(responses: Operation["responses"]): string {
  const kinds = Object.entries(responses).flatMap(([status, { description, content = {} }]) =>
    problemType in content
      ? Array.from(
          description.matchAll(/`urn:problem-type:keyturn:([\w-]+)`/g),
          ([, kind = ""]) => `\`${kind}\` (${status})`,
        )
      : [],
  );
  return wrap(`[Problems](#errors): ${kinds.join(", ")}.`);
}

function writeValues({ components }: Document): string {
  const rows = Object.entries(components.schemas)
    .filter(([, schema]) => isText(schema))
    .map(([name, { description = "", examples = [] }]) => [
      name,
      description,
      `\`${String(examples[0])}\``,
    ]);
  return `## Values\n\n${writeTable(["Type", "Meaning", "Example"], rows)}`;
}

function writeObject(document: Document, name: string): string {
  const schema = document.components.schemas[name] ?? {};
  const parts = [`### ${name}`, schema.description ?? "", describeObject(document, schema)];
  return parts.filter((part) => part !== "").join("\n\n");
}

function fieldsIn(document: Document) {
  const { schemas } = document.components;
  return makeFields(schemas, listShared(schemas, document));
}
