export type JsonObject = Readonly<Record<string, unknown>>;

/** A number whose digits a JavaScript number cannot hold. */
interface RawNumber {
  readonly rawJSON: string;
}

declare global {
  // TypeScript's library does not describe these two functions of Node 22 yet.
  interface JSON {
    rawJSON(text: string): RawNumber;
    isRawJSON(value: unknown): value is RawNumber;
  }
}

/**
 * The value that a JSON text describes; undefined if the text is not JSON. Numbers that a JavaScript number would
 * change (`1.0`, or an id of 20 digits) keep their digits when `printJson` writes them again.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, keepDigits);
  } catch {
    return undefined;
  }
}

export function printJson(value: unknown): string {
  return JSON.stringify(value);
}

/** Undefined unless the text is a JSON object. */
export function parseJsonObject(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isJsonObject(value) ? value : undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
  );
}

function keepDigits(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== "number" || source === undefined) return value;
  return String(value) === source ? value : JSON.rawJSON(source);
}
