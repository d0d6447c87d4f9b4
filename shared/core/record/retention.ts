import { day } from "../time.ts";

/** Milliseconds for which history, idempotency keys and alarms are kept, unless the configuration says otherwise. */
export const defaultRetention = 400 * day;

/** Milliseconds. A client may repeat a request, and a person read the history, for at least so long. */
export const shortestRetention = 7 * day;

/** Milliseconds. */
export const longestRetention = 3650 * day;
