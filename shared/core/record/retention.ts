import { day } from "../time.ts";

/** Milliseconds for which Keyturn keeps history, idempotency keys and alarms by default. */
export const defaultRetentionMs = 400 * day;

/** Milliseconds. Clients can repeat a request, and people can read the history, for at least this long. */
export const minRetentionMs = 7 * day;

/** The longest retention, in milliseconds. */
export const maxRetentionMs = 3650 * day;
