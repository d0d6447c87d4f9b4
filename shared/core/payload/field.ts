/** One value in a text: its content, its position, and how to write another value in its place. */
export interface Field {
  readonly value: string;
  /** First character. */
  readonly from: number;
  /** The character after the last one. */
  readonly to: number;
  readonly write: (value: string) => string;
}

/** `undefined` in the list stands for a field whose value cannot be read with certainty. */
export type Fields = readonly (Field | undefined)[];

/** The field under its name; empty if there are several fields, or if the value is uncertain. */
export function takeOnlyField<Name extends string>(
  name: Name,
  found: Fields,
): Partial<Record<Name, Field>> {
  const [field] = found;
  const result: Partial<Record<Name, Field>> = {};
  if (found.length === 1 && field) result[name] = field;
  return result;
}

/** The text with these fields set to other values. */
export function setFields(text: string, changes: readonly (readonly [Field, string])[]): string {
  const lastFirst = changes.toSorted(([a], [b]) => b.from - a.from);
  return lastFirst.reduce(
    (changed, [{ from, to, write }, value]) =>
      changed.slice(0, from) + write(value) + changed.slice(to),
    text,
  );
}
