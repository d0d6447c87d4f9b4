import { KeyReusedError } from "../../core/errors.ts";
import type { Journal, JournalChange } from "../../stores/journal.ts";
import type { Ports } from "../ports.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";

export const keyReused =
  "This Idempotency-Key was already used for a different request. Use a new key";

/** Makes a request take effect once: with the same key, it gets the answer that it got first. */
export interface RequestKey {
  /** Identifies the caller and the key that the caller chose. */
  readonly id: string;
  /** The request, in any form that can be compared. It contains no secret. */
  readonly request: string;
}

/**
 * Finds the answer to an earlier request with the same key. `targetId`: undefined for requests that concern no single target. Throws
 * KeyReusedError if that request was a different one.
 */
export async function findAnswer<Answer extends object>(
  journal: Pick<Journal, "request">,
  targetId: string | undefined,
  key: RequestKey | undefined,
): Promise<Answer | undefined> {
  const known = key && (await journal.request(targetId, key.id));
  if (!known) return undefined;
  if (known.asked !== key.request) {
    throw new KeyReusedError(keyReused);
  }
  // The same operation wrote this answer for the same request, so its type is known.
  return JSON.parse(known.answer) as Answer;
}

/** Finds the answer to an earlier request to no single target, or makes one. `make` stores its answer with the key. */
export function answerOnce<Answer extends object | undefined>(
  ports: Pick<Ports, "journal" | "pause" | "randomBytes">,
  key: RequestKey | undefined,
  make: () => Promise<Answer>,
): Promise<Answer> {
  return retryOnConflict(ports, async () => {
    const known = await findAnswer<NonNullable<Answer>>(ports.journal, undefined, key);
    return known ?? (await make());
  });
}

/** What the journal stores in the transaction of the effect. */
export function rememberAnswer(
  key: RequestKey | undefined,
  answer: object,
): Pick<JournalChange, "request"> {
  if (!key) return {};
  return { request: { key: key.id, asked: key.request, answer: JSON.stringify(answer) } };
}
