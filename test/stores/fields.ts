import { z } from "zod";

type Shape = z.core.JSONSchema.BaseSchema;

/** Every field of a record with its path, such as `target.slots[].account: string`; `?` where it may be missing. */
export function fieldsOf(name: string, record: z.ZodType): string[] {
  return linesOf(name, z.toJSONSchema(record, { unrepresentable: "any" }));
}

function linesOf(path: string, shape: Shape): string[] {
  const { properties, required = [], items, additionalProperties } = shape;
  const nested = Object.entries(properties ?? {}).flatMap(([field, value]) => {
    const type = typeof value === "boolean" ? {} : value;
    const name = `${path}.${field}`;
    const isOptional = !required.includes(field);
    const isLeaf = type.properties === undefined;
    return [
      ...(isLeaf || isOptional ? [`${name}${isOptional ? "?" : ""}: ${kindOf(type)}`] : []),
      ...linesOf(name, type),
    ];
  });
  const inItems = isShape(items) ? linesOf(`${path}[]`, items) : [];
  const inValues = isShape(additionalProperties)
    ? [`${path}.*: ${kindOf(additionalProperties)}`]
    : [];
  return [...nested, ...inItems, ...inValues];
}

function kindOf({ type, format, enum: names, const: only, anyOf }: Shape): string {
  if (anyOf) return anyOf.map((one) => kindOf(one)).join(" or ");
  const values = only === undefined ? (names ?? []) : [only];
  return [type ?? "string", format, values.join("|")]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
}

function isShape(value: unknown): value is Shape {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
