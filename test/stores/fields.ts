import { z } from "zod";

type Shape = z.core.JSONSchema.BaseSchema;

/** Every field of a record with its path, such as `target.slots[].account: string`; `?` where it may be missing. */
export function listFields(name: string, record: z.ZodType): string[] {
  return formatLines(name, z.toJSONSchema(record, { unrepresentable: "any" }));
}

function formatLines(path: string, shape: Shape): string[] {
  const { properties, required = [], items, additionalProperties } = shape;
  const nested = Object.entries(properties ?? {}).flatMap(([field, value]) => {
    const type = typeof value === "boolean" ? {} : value;
    const name = `${path}.${field}`;
    const isOptional = !required.includes(field);
    const isLeaf = type.properties === undefined;
    return [
      ...(isLeaf || isOptional ? [`${name}${isOptional ? "?" : ""}: ${describeKind(type)}`] : []),
      ...formatLines(name, type),
    ];
  });
  const inItems = isShape(items) ? formatLines(`${path}[]`, items) : [];
  const inValues = isShape(additionalProperties)
    ? [`${path}.*: ${describeKind(additionalProperties)}`]
    : [];
  return [...nested, ...inItems, ...inValues];
}

function describeKind({ type, format, enum: names, const: only, anyOf }: Shape): string {
  if (anyOf) return anyOf.map((one) => describeKind(one)).join(" or ");
  const values = only === undefined ? (names ?? []) : [only];
  return [type ?? "string", format, values.join("|")]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
}

function isShape(value: unknown): value is Shape {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
