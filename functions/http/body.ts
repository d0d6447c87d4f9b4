import type { HttpRequest } from "@azure/functions";
import { Refusal } from "./handle.ts";

/** Bytes. The largest body that anything here asks for is a fraction of it. */
const largestBody = 8 * 1024;

/** The JSON object that a request carries; an empty one when it carries nothing. Throws Refusal. */
export async function readObject(request: HttpRequest): Promise<Record<string, unknown>> {
  const announced = Number(request.headers.get("content-length") ?? "0");
  if (announced > largestBody) throw tooLarge();
  const bytes = Buffer.from(await request.arrayBuffer());
  if (bytes.length === 0) return {};
  if (bytes.length > largestBody) throw tooLarge();
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new Refusal(415, "The body must be sent as content type application/json.");
  }
  const body = parse(bytes);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Refusal(400, "The body must be a JSON object.");
  }
  return { ...body };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Refusal(400, "The body is no valid JSON.");
  }
}

function tooLarge(): Refusal {
  return new Refusal(413, `The body may have at most ${largestBody} bytes.`);
}
