import type { HttpRequest } from "@azure/functions";
import { invalid, ProblemError } from "./problem.ts";

/** Bytes. Valid objects are much smaller. */
const maxObjectBytes = 8 * 1024;

/** Reads the JSON object in the body; an empty body counts as an empty object. Throws ProblemError. */
export async function readObject(
  request: HttpRequest,
  maxBytes = maxObjectBytes,
): Promise<Record<string, unknown>> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return {};
  requireType(request, ["application/json"]);
  const text = decode(bytes);
  const body = parse(text);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid("The body must be a JSON object.");
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) {
    throw invalid(`Field \`${twice}\` is given more than once. Give it once.`);
  }
  return { ...body };
}

/** Reads the body as text. Throws ProblemError when its content type is not in `types` or it is larger than `maxBytes`. */
export async function readText(
  request: HttpRequest,
  types: readonly string[],
  maxBytes: number,
): Promise<string> {
  const bytes = await readBytes(request, maxBytes);
  requireType(request, types);
  return decode(bytes);
}

async function readBytes(request: HttpRequest, maxBytes: number): Promise<Buffer> {
  const announced = Number(request.headers.get("content-length") ?? "0");
  if (announced > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  // A body without a length comes in chunks, as many as the caller likes.
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function requireType(request: HttpRequest, types: readonly string[]): void {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== undefined && types.includes(type)) return;
  throw new ProblemError(
    "unsupported-content-type",
    `\`Content-Type\` must be ${types.join(" or ")}.`,
  );
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid("The body is not UTF-8 text.");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("The body is not valid JSON.");
  }
}

/** Finds a repeated key, because JSON.parse silently keeps the last one. `text` must be a valid JSON object. */
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

function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError(
    "body-too-large",
    `The body is too large. The limit is ${maxBytes} bytes.`,
  );
}
