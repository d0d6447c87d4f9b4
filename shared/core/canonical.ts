import { createHash } from "node:crypto";
import { isObject } from "./json.ts";

/**
 * The one way to write a value as JSON: without spaces, with the names of each object in ascending order. This is RFC 8785 for values
 * without fractions. Fields that are undefined are left out.
 */
export function toCanonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => (isObject(part) ? sorted(part) : part));
}

/** SHA-256 of the canonical JSON of the value, in hexadecimal digits. */
export function hashOf(value: unknown): string {
  return createHash("sha256").update(toCanonicalJson(value)).digest("hex");
}

function sorted(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const names = Object.keys(object).sort((a, b) => (a < b ? -1 : 1));
  return Object.fromEntries(names.map((name) => [name, object[name]]));
}
