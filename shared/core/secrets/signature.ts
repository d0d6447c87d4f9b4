import { createHmac, timingSafeEqual } from "node:crypto";
import { between, type Instant, minute, second } from "../time.ts";
import type { Secret } from "./secret.ts";

/** Name of the header of every request that Keyturn signs, such as `t=1767225600,v1=5257a869…`. */
export const signatureHeader = "Keyturn-Signature";

/** Milliseconds by which the clocks of sender and receiver may differ, the journey included. */
const defaultTolerance = 5 * minute;

/** Value of the header: the whole second of sending, and HMAC-SHA256 over `<second>.<body>` in hex. */
export function sign(body: string, key: Secret, at: Instant): string {
  const seconds = Math.floor(Date.parse(at) / second);
  return `t=${seconds},v1=${digest(body, key, seconds).toString("hex")}`;
}

export interface SignedRequest {
  /** Value of the header. */
  readonly header: string;
  /** Exactly as received, before any parsing. */
  readonly body: string;
  /** All keys in force: two while a key is being changed. */
  readonly keys: readonly Secret[];
  readonly now: Instant;
  /** Milliseconds; 5 minutes unless told. */
  readonly tolerance?: number;
}

/**
 * For receivers: true when somebody who has one of the keys signed exactly this body not long ago. A copy of a request
 * passes within the tolerance, so do nothing twice for one event id.
 */
export function verifySignature(request: SignedRequest): boolean {
  const { header, body, keys, now, tolerance = defaultTolerance } = request;
  const parts = header.split(",").map((part) => part.trim());
  const times = parts.filter((part) => part.startsWith("t="));
  const seconds = Number(/^t=(\d{1,12})$/.exec(times[0] ?? "")?.[1]);
  if (times.length !== 1 || Number.isNaN(seconds)) return false;

  const sentAt = new Date(seconds * second).toISOString();
  // Negated so that a time that is no number refuses.
  if (!(Math.abs(between(sentAt, now)) <= tolerance)) return false;

  const offered = parts
    .map((part) => /^v1=([0-9a-f]{64})$/.exec(part)?.[1])
    .filter((hex) => hex !== undefined)
    .map((hex) => Buffer.from(hex, "hex"));
  return keys.some((key) => {
    const expected = digest(body, key, seconds);
    return offered.some((each) => timingSafeEqual(each, expected));
  });
}

function digest(body: string, key: Secret, seconds: number): Buffer {
  return createHmac("sha256", key.reveal()).update(`${seconds}.${body}`).digest();
}
