import { isDeepStrictEqual } from "node:util";
import type { Schema, Schemas } from "./document-types.ts";

/** A row of a table of fields. */
export interface Field {
  /** Nested fields are written `secret.vault` and `slots[].account`. */
  readonly name: string;
  readonly type: string;
  readonly meaning: string;
  readonly default: string;
  readonly isRequired: boolean;
}

/** Types whose values are texts. They have a row in one table instead of a section. */
export const isText = (schema: Schema): boolean => schema.type === "string";

/** Returns the name of the component that the schema refers to. */
export function referredName({ $ref }: Schema): string | undefined {
  return $ref?.replace("#/components/schemas/", "");
}

/** Objects that have a section of their own: more than one place refers to them, they are one of several alternatives, or another object has all of their fields. */
export function listShared(schemas: Schemas, document: object): Set<string> {
  const counts = new Map<string, number>();
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
  for (const [, name = ""] of references) counts.set(name, (counts.get(name) ?? 0) + 1);
  const alternatives = JSON.stringify(document).match(/"anyOf":\[[^\]]*\]/g) ?? [];
  const isShared = (name: string, schema: Schema): boolean =>
    (counts.get(name) ?? 0) > 1 ||
    alternatives.some((text) => text.includes(`/${name}"`)) ||
    Object.values(schemas).some((other) => extendsSchema(other, schema));
  const shared = Object.entries(schemas).filter(
    ([name, schema]) => !isText(schema) && isShared(name, schema),
  );
  return new Set(shared.map(([name]) => name));
}

/** Whether the schema has all fields of `base`, and more. */
function extendsSchema({ properties: own = {} }: Schema, { properties }: Schema): boolean {
  if (!properties || Object.keys(properties).length >= Object.keys(own).length) return false;
  return Object.entries(properties).every(([key, value]) => isDeepStrictEqual(own[key], value));
}

/** Makes the tables of fields of one document. */
export function makeFields(schemas: Schemas, shared: ReadonlySet<string>) {
  const resolve = (schema: Schema): Schema => {
    const name = referredName(schema);
    return name === undefined ? schema : { ...schemas[name], ...schema };
  };

  const isInline = (schema: Schema): boolean => !shared.has(referredName(schema) ?? "");

  function typeOf(schema: Schema): string {
    const name = referredName(schema);
    const full = resolve(schema);
    if (name !== undefined && shared.has(name)) return `[${name}](#${name.toLowerCase()})`;
    if (name !== undefined && isText(full)) return `[${name}](#values)`;
    if (full.type === "array") return `list of ${full.items ? typeOf(full.items) : "values"}`;
    if (full.anyOf) return full.anyOf.map(typeOf).join(" or ");
    if (typeof full.additionalProperties === "object") return "object";
    return name !== undefined && full.type === "object" ? "object" : (full.type ?? "value");
  }

  function fieldOf(name: string, schema: Schema, isRequired: boolean): Field {
    const { meaning, default: usual } = describe(schema, resolve(schema));
    return { name, type: typeOf(schema), meaning, default: usual, isRequired };
  }

  /** The rows of an object, with those of its nested objects. */
  function fieldsOf(schema: Schema, prefix = ""): Field[] {
    const { properties = {}, required = [] } = resolve(schema);
    return Object.entries(properties).flatMap(([name, property]) => {
      const field = fieldOf(prefix + name, property, required.includes(name));
      return [field, ...nestedFields(property, prefix + name)];
    });
  }

  function nestedFields(schema: Schema, name: string): Field[] {
    const full = resolve(schema);
    if (!isInline(schema)) return [];
    if (full.items && isInline(full.items)) return nestedFields(full.items, `${name}[]`);
    return full.properties ? fieldsOf(full, `${name}.`) : [];
  }

  /** Finds a shared object whose fields the schema has too, so that they are not listed twice. */
  const findBase = (schema: Schema): string | undefined =>
    [...shared].find((name) => extendsSchema(resolve(schema), schemas[name] ?? {}));

  return { resolve, fieldOf, fieldsOf, findBase };
}

/** The values, the description and the limits of a field, and its default, which ends the description. */
function describe(own: Schema, full: Schema): Pick<Field, "meaning" | "default"> {
  // The name of a type such as Instant says enough.
  const { description = "" } = isText(full) ? own : full;
  const [, text = "", usual = ""] =
    /^([\s\S]*?) ?(?:Default: ([\s\S]+)\.)?$/.exec(description) ?? [];
  const parts = [listValues(own, text), text, listLimits(own)];
  return {
    meaning: parts.filter((it) => it !== "").join(" "),
    default: full.default === undefined ? usual : `\`${full.default}\``,
  };
}

/** The values of an enumeration, unless the description names its only value. */
function listValues(schema: Schema, description: string): string {
  const values = (schema.enum ?? (schema.const === undefined ? [] : [schema.const])).map(
    (value) => `\`${value}\``,
  );
  const [last = ""] = values.slice(-1);
  // The kinds of problems have a table.
  if (last.startsWith("`urn:")) return "";
  if (values.length < 2) return last === "" || description.includes(last) ? "" : `${last}.`;
  return `${values.slice(0, -1).join(", ")} or ${last}.`;
}

function listLimits({ minimum, maximum, minLength, maxLength }: Schema): string {
  if (minimum !== undefined) return `${minimum} to ${String(maximum)}.`;
  return minLength === undefined ? "" : `${minLength} to ${String(maxLength)} characters.`;
}
