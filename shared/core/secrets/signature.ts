import { createHmac, timingSafeEqual } from "node:crypto";
import { between, type Instant, minute, second } from "../time.ts";
import type { Secret } from "./secret.ts";

/** The header of every request that Keyturn signs. Its value has the form `t=1767225600,v1=5257a869…`. */
export const signatureHeader = "Keyturn-Signature";

/** Milliseconds by which the clocks of sender and receiver may differ, including the time of the transfer. */
const defaultTolerance = 5 * minute;

/** The value of the header: the second of sending, and HMAC-SHA256 over `<second>.<body>` in hex. */
export function sign(body: string, key: Secret, at: Instant): string {
  const seconds = Math.floor(Date.parse(at) / second);
  return `t=${seconds},v1=${digest(body, key, seconds).toString("hex")}`;
}

export interface SignedRequest {
  /** The value of the header. */
  readonly header: string;
  /** The body exactly as received, before any parsing. */
  readonly body: string;
  /** All valid keys: two while a key is being replaced. */
  readonly keys: readonly Secret[];
  readonly now: Instant;
  /** Milliseconds; 5 minutes by default. */
  readonly tolerance?: number;
}

/**
 * For receivers: true when a sender with one of the keys recently signed exactly this body. A copied request passes within the
 * tolerance, so handle each event id only once.
 */
export function verifySignature(request: SignedRequest): boolean {
  const { header, body, keys, now, tolerance = defaultTolerance } = request;
  const parts = header.split(",").map((part) => part.trim());
  const times = parts.filter((part) => part.startsWith("t="));
  const seconds = Number(/^t=(\d{1,12})$/.exec(times[0] ?? "")?.[1]);
  if (times.length !== 1 || Number.isNaN(seconds)) return false;

  const sentAt = new Date(seconds * second).toISOString();
  // Negated so that a time that is not a number is rejected.
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
