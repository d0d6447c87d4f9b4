import type { HttpRequest } from "@azure/functions";
import { refuseUnknown } from "./fields.ts";
import { Refusal } from "./refusal.ts";

/** Bytes. The largest object that anything here asks for is a fraction of it. */
const largestObject = 8 * 1024;

/**
 * The JSON object that a request carries, with these fields and no others; an empty one when it carries nothing.
 * Throws Refusal.
 */
export async function readObject(
  request: HttpRequest,
  fields: readonly string[],
): Promise<Record<string, unknown>> {
  const bytes = await readBytes(request, largestObject);
  if (bytes.length === 0) return {};
  requireType(request, ["application/json"]);
  const text = decode(bytes);
  const body = parse(text);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Refusal(400, "The body must be a JSON object.");
  }
  refuseUnknown("field", Object.keys(body), fields);
  const twice = repeatedKey(text);
  if (twice !== undefined) {
    throw new Refusal(400, `Field \`${twice}\` is given more than once. Give it once.`);
  }
  return { ...body };
}

/** The text that a request carries as one of these content types. `largest` is in bytes. Throws Refusal. */
export async function readText(
  request: HttpRequest,
  types: readonly string[],
  largest: number,
): Promise<string> {
  const bytes = await readBytes(request, largest);
  requireType(request, types);
  return decode(bytes);
}

async function readBytes(request: HttpRequest, largest: number): Promise<Buffer> {
  const announced = Number(request.headers.get("content-length") ?? "0");
  if (announced > largest) throw tooLarge(largest);
  const bytes = Buffer.from(await request.arrayBuffer());
  if (bytes.length > largest) throw tooLarge(largest);
  return bytes;
}

function requireType(request: HttpRequest, types: readonly string[]): void {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== undefined && types.includes(type)) return;
  throw new Refusal(415, `The body must be sent as content type ${types.join(" or ")}.`);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal(400, "The body is not UTF-8 text.");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, "The body is not valid JSON.");
  }
}

/** JSON.parse keeps the last of two equal keys without a word. `text` is an object of valid JSON. */
function repeatedKey(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/gs)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && token.endsWith(":")) {
      const key = String(JSON.parse(token.slice(0, -1)));
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}

function tooLarge(largest: number): Refusal {
  return new Refusal(413, `The body may have at most ${largest} bytes.`);
}
