import { isObject, parseJson } from "../core/json.ts";
import { second } from "../core/time.ts";

/** Reads what answers say. Everything here is pure, and no text of an answer leaves it except its body. */

/**
 * What is known after a request to Azure Resource Manager or Microsoft Graph. The body is for parsers only: it may contain keys, and an
 * error may repeat what was sent.
 */
export type Reply =
  | {
      /** The service itself: the answer has its form. */
      readonly by: "azure";
      readonly status: number;
      /** The codes of the error, the outermost first, such as AuthorizationFailed. Empty for a success. */
      readonly codes: readonly string[];
      /** The parsed JSON. Undefined for an empty body. */
      readonly body: unknown;
      readonly headers: ReplyHeaders;
    }
  | {
      /** A gateway or a proxy on the way. Its answer says nothing about the resource, nor whether the request reached it. */
      readonly by: "gateway";
      readonly status: number;
      readonly headers: ReplyHeaders;
    }
  | Nobody;

/** There was no answer. */
export interface Nobody {
  readonly by: "nobody";
  /** `too-late`: not sent, because it was no longer in time. */
  readonly why: "no-token" | "timed-out" | "lost" | "too-late";
  /** The code of the system or of the TLS library, such as ECONNREFUSED. */
  readonly code?: string;
  /** Whether the request may have reached the service. False only if that is certain. */
  readonly sent: boolean;
}

export type AzureReply = Extract<Reply, { readonly by: "azure" }>;

/** Absent: the answer has no such header, or one that cannot be used. */
export interface ReplyHeaders {
  /** The time of the service when it answered. Milliseconds since 1970. */
  readonly date?: number;
  /** Milliseconds until the next request is welcome. */
  readonly retryAfter?: number;
  /** Where a long-running operation reports its status (`Azure-AsyncOperation`, or `Operation-Location` of other services). */
  readonly operation?: string;
  /** Where the result of a long-running operation will be. */
  readonly location?: string;
}

/** The headers of an answer, by their names in lower case. */
export interface RawHeaders {
  get(name: string): string | undefined | null;
}

/** Classifies an answer. `now`: milliseconds since 1970, for a `Retry-After` that is a date. */
export function readReply(status: number, raw: RawHeaders, text: string, now: number): Reply {
  const headers = readHeaders(raw, now);
  const body = text.trim() === "" ? undefined : parseJson(text);
  if (status >= 200 && status < 300) {
    const isReadable = text.trim() === "" || body !== undefined;
    return isReadable
      ? { by: "azure", status, codes: [], body, headers }
      : { by: "gateway", status, headers };
  }
  const codes = listErrorCodes(body);
  // Neither service redirects, so a redirect is from somebody else.
  const isAzure = codes.length > 0 && status >= 400;
  return isAzure
    ? { by: "azure", status, codes, body, headers }
    : { by: "gateway", status, headers };
}

/** Whether the service accepted the request. */
export const isAccepted = (reply: AzureReply): boolean => reply.status < 300;

/** Deep enough for every service, with an end for a body that was made to hurt. */
const deepest = 5;

/**
 * The codes of an error body, the outermost first: `error.code`, then those of `details`, `innererror` and `innerError`. Some services
 * leave out the `error` around it.
 */
export function listErrorCodes(body: unknown): readonly string[] {
  if (!isObject(body)) return [];
  return codesIn(isObject(body["error"]) ? body["error"] : body, deepest);
}

function codesIn(error: unknown, depth: number): readonly string[] {
  if (!isObject(error) || depth === 0) return [];
  const { code, details, innererror, innerError } = error;
  const inner = [...(Array.isArray(details) ? (details as unknown[]) : []), innererror, innerError];
  return [
    ...(typeof code === "string" && code !== "" ? [code] : []),
    ...inner.flatMap((one) => codesIn(one, depth - 1)),
  ];
}

function readHeaders(raw: RawHeaders, now: number): ReplyHeaders {
  const date = readDate(raw.get("date") ?? "");
  const retryAfter = readRetryAfter(raw, now);
  const operation = raw.get("azure-asyncoperation") ?? raw.get("operation-location");
  const location = raw.get("location");
  return {
    ...(date !== undefined && { date }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(operation && { operation }),
    ...(location && { location }),
  };
}

/** Services send seconds or a date, and some of them milliseconds in a header of their own. */
function readRetryAfter(raw: RawHeaders, now: number): number | undefined {
  const ms = raw.get("retry-after-ms") ?? raw.get("x-ms-retry-after-ms");
  if (ms && /^\d{1,9}$/.test(ms)) return Number(ms);
  const text = raw.get("retry-after") ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * second;
  const date = readDate(text);
  return date === undefined ? undefined : Math.max(0, date - now);
}

/** Dates of HTTP begin with the day of the week. The parser of the language reads other texts as dates too, such as -4. */
function readDate(text: string): number | undefined {
  const date = /^[A-Za-z]{3}, /.test(text) ? Date.parse(text) : NaN;
  return Number.isFinite(date) ? date : undefined;
}

/** Codes of failures before a request can leave: no address, nobody listening, or a certificate that is not trusted. */
const beforeSending =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENODATA|ESERVFAIL|CERT_.*|.*_CERT|.*_CERT_.*|UNABLE_TO_.*|ERR_TLS_CERT_.*)$/;

/** Classifies a failure without an answer. `sent`: whether the request was handed to the network. */
export function readFailure(error: unknown, sent: boolean): Nobody {
  const isGivenUp = error instanceof Error && ["AbortError", "TimeoutError"].includes(error.name);
  if (isGivenUp) return { by: "nobody", why: "timed-out", sent };
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (typeof code !== "string") return { by: "nobody", why: "lost", sent };
  return { by: "nobody", why: "lost", code, sent: sent && !beforeSending.test(code) };
}
