import type { z } from "zod";
import { parseJson } from "../../core/json.ts";
import { toPrintable } from "../../core/printable.ts";
import { redact } from "../../core/secrets/redact.ts";
import type { Secret } from "../../core/secrets/secret.ts";
import { shorten } from "../../core/shorten.ts";
import type { Reply } from "./webhook-line.ts";
import { type Answer, answers, type Operation, unauthorized } from "./webhook-protocol.ts";

/** A reply that is not an answer of the protocol. */
export interface NoAnswer {
  /** Continues the name of the endpoint, and contains nothing of the reply's text. */
  readonly why: string;
  /** The endpoint did certainly nothing. */
  readonly nothingDone: boolean;
}

/** Pure: the answer in a reply. */
export function readReply(
  operation: Operation,
  reply: Reply,
): { readonly answer: Answer } | NoAnswer {
  const { status } = reply;
  const value = isJson(reply) ? parseJson(reply.body) : undefined;
  const schemas: Readonly<Record<number, z.ZodType<Answer>>> = {
    200: answers[operation],
    401: unauthorized,
  };
  const answer = schemas[status]?.safeParse(value).data;
  if (answer !== undefined) return { answer };
  return { why: explain(operation, reply, value), nothingDone: status === 429 };
}

function explain(operation: Operation, reply: Reply, value: unknown): string {
  const { status } = reply;
  if (status === 429 || status === 503) return `answered HTTP ${status}${pause(reply)}`;
  if (status >= 300 && status < 400) {
    return `answered HTTP ${status}. Keyturn follows no redirect: write the final address in options.url`;
  }
  if (status === 401) {
    return "answered HTTP 401 without the answer `unauthorized`. Check the gateways between the app and the endpoint";
  }
  if (status !== 200) return `answered HTTP ${status}`;
  if (!isJson(reply)) return "answered with a content type other than application/json";
  if (value === undefined) return "answered with a text that is not JSON";
  return `gave no valid answer to ${operation}. docs/rotators/webhook.md lists the answers`;
}

function isJson({ contentType }: Reply): boolean {
  return /^application\/json\s*(?:;|$)/i.test(contentType);
}

function pause({ retryAfter = "" }: Reply): string {
  return /^\d{1,6}$/.test(retryAfter) ? ` with a pause of ${retryAfter} s` : "";
}

/** Characters of a sentence of the endpoint that Keyturn shows. */
const maxSentence = 300;
/** Sentences of a list that Keyturn shows. */
const maxSentences = 10;

/** A sentence of the endpoint, fit for a log: one line, short, and without these secrets. */
export function toSafeSentence(text: string, secrets: readonly Secret[]): string {
  return shorten(toPrintable(redact(text, secrets)), maxSentence);
}

export function toSafeSentences(texts: readonly string[], secrets: readonly Secret[]): string[] {
  return texts.slice(0, maxSentences).map((text) => toSafeSentence(text, secrets));
}
