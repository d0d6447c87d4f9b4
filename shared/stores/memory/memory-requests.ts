import { LeaseLostError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import type { KeyedRequest, KeyUse } from "../journal.ts";
import { requestRow } from "../table/row-keys.ts";

export interface StoredUse {
  readonly use: KeyUse;
  readonly at: Instant;
}

/** Idempotency keys of requests to no single target, by row key. */
export interface MemoryRequests {
  readonly get: (rowKey: string) => StoredUse | undefined;
  /** Throws LeaseLostError if the key is known and has not expired. */
  readonly keep: (request: KeyedRequest) => void;
  /** Removes at most `limit` keys that have expired, and returns how many. */
  readonly prune: (limit: number) => number;
}

export function makeMemoryRequests(now: () => Instant, expiry: () => Instant): MemoryRequests {
  const stored = new Map<string, StoredUse>();
  return {
    get: (rowKey) => stored.get(rowKey),
    keep({ key, ...use }) {
      const rowKey = requestRow("", key);
      const known = stored.get(rowKey);
      if (known && known.at >= expiry()) {
        throw new LeaseLostError("The idempotency key was stored by another request.");
      }
      stored.set(rowKey, { use, at: now() });
    },
    prune(limit) {
      const old = [...stored].filter(([, { at }]) => at < expiry()).slice(0, limit);
      for (const [rowKey] of old) stored.delete(rowKey);
      return old.length;
    },
  };
}
