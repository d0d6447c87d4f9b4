import { second } from "../core/time.ts";

/** No call to another system lasts longer, whatever the caller allows. */
const longestCall = 30 * second;

/** True when the work ended because its time was up or its caller gave up. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof Error && ["AbortError", "TimeoutError"].includes(error.name);
}

/**
 * Ends with the work or with the signal, whichever comes first, even if the work does not listen to its signal: the
 * Azure clients do not while they wait for a token. Throws an error for which `isGivenUp` holds.
 */
export async function withDeadline<Result>(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(longestCall)]);
  // Not the signal's own reason, which could be anything.
  const givenUp = () => new DOMException("No answer in time.", "AbortError");
  if (either.aborted) throw givenUp();
  const abort = Promise.withResolvers<never>();
  const onAbort = () => {
    abort.reject(givenUp());
  };
  either.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work(either), abort.promise]);
  } finally {
    either.removeEventListener("abort", onAbort);
  }
}
