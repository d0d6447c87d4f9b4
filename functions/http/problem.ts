import type { HttpResponseInit } from "@azure/functions";
import { type ProblemKind, problemKinds, problemType } from "./problem-kinds.ts";

/** The caller gets a problem answer of this kind. The message is its `detail`, and must reveal nothing internal. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly kind: ProblemKind;
  readonly headers: Readonly<Record<string, string>>;
  /** Extension members of the answer. */
  readonly more: object;

  constructor(
    kind: ProblemKind,
    detail: string,
    { headers = {}, more = {} }: Partial<Pick<ProblemError, "headers" | "more">> = {},
  ) {
    super(detail);
    this.kind = kind;
    this.headers = headers;
    this.more = more;
  }
}

/** The request breaks a rule of the API: 400. */
export function invalid(detail: string): ProblemError {
  return new ProblemError("invalid-request", detail);
}

/** What the operation found. Throws ProblemError if the target does not exist. */
export function requireTarget<Found>(found: Found | undefined, targetId: string): Found {
  if (found !== undefined) return found;
  throw noSuchTarget(targetId);
}

function noSuchTarget(id: string): ProblemError {
  return new ProblemError("target-not-found", `Target "${id}" does not exist.`);
}

export function noSuchTargets(ids: readonly string[]): ProblemError {
  const [id = "", ...others] = ids;
  if (others.length === 0) return noSuchTarget(id);
  const shown = ids.slice(0, maxShownIds).map((one) => `"${one}"`);
  const more = ids.length > maxShownIds ? ` and ${ids.length - maxShownIds} more` : "";
  return new ProblemError(
    "target-not-found",
    `${ids.length} targets do not exist: ${shown.join(", ")}${more}. Nothing was changed.`,
  );
}

/** How many unknown ids a message shows. */
const maxShownIds = 10;

/** Seconds. A worker that holds a target is usually done within that time. */
const retryAfter = "5";

/** Throws ProblemError for an operation that the target does not permit now. */
export function rejectUnlessDone<Result extends object>(
  result: Result,
): asserts result is Exclude<Result, { readonly refused: string } | { readonly busy: string }> {
  if ("busy" in result) {
    throw new ProblemError("busy", String(result.busy), { headers: { "retry-after": retryAfter } });
  }
  if ("refused" in result) {
    const text = String(result.refused);
    throw new ProblemError("not-possible", `${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
  }
}

/** Makes an answer in the format of RFC 9457. */
export function toAnswer({ kind, message, headers, more }: ProblemError): HttpResponseInit {
  const { status, title } = problemKinds[kind];
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...headers,
    },
    body: JSON.stringify({ type: problemType(kind), title, status, detail: message, ...more }),
  };
}
