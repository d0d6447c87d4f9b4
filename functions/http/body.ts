import type { HttpRequest } from "@azure/functions";
import { Refusal } from "./handle.ts";

/** Bytes. The largest object that anything here asks for is a fraction of it. */
const largestObject = 8 * 1024;

/** The JSON object that a request carries; an empty one when it carries nothing. Throws Refusal. */
export async function readObject(request: HttpRequest): Promise<Record<string, unknown>> {
  const bytes = await readBytes(request, largestObject);
  if (bytes.length === 0) return {};
  requireType(request, ["application/json"]);
  const body = parse(bytes);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Refusal(400, "The body must be a JSON object.");
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
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal(400, "The body is not UTF-8 text.");
  }
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

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Refusal(400, "The body is no valid JSON.");
  }
}

function tooLarge(largest: number): Refusal {
  return new Refusal(413, `The body may have at most ${largest} bytes.`);
}
