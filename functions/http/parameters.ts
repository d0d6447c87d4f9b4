import type { HttpRequest } from "@azure/functions";
import { isTargetId } from "../../shared/app.ts";
import { RequestError } from "./request-error.ts";

const rotationPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;

export function readTargetId({ params }: HttpRequest): string {
  const id = params["target"] ?? "";
  if (isTargetId(id)) return id;
  throw new RequestError(
    400,
    "The target id must be 1 to 63 lower-case letters, digits or hyphens, and must not start with a hyphen.",
  );
}

export function readRotationId({ params }: HttpRequest): string {
  const id = params["rotation"] ?? "";
  if (rotationPattern.test(id)) return id;
  throw new RequestError(400, "The rotation id must be a ULID: 26 digits and capital letters.");
}

/** Reads `limit`, 1 to 100, from the query. */
export function limit<Preset extends number | undefined>(
  { query }: HttpRequest,
  preset: Preset,
): number | Preset {
  const text = query.get("limit");
  if (text === null) return preset;
  const value = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= 100) return value;
  throw new RequestError(400, "`limit` must be a number from 1 to 100.");
}

export function answerNoSuchTarget(id: string): RequestError {
  return new RequestError(404, `Target "${id}" does not exist.`);
}
