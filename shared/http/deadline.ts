import { second } from "../core/time.ts";

/** No call to another system takes longer, even if the caller permits more. */
const maxCallMs = 30 * second;

/** True when the work ended because it timed out or its caller cancelled it. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof Error && ["AbortError", "TimeoutError"].includes(error.name);
}

/**
 * Ends with the work or with the signal, whichever comes first. The work may ignore its signal, as the Azure clients do while they
 * wait for a token. Throws an error for which `isGivenUp` is true.
 */
export async function withDeadline<Result>(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(maxCallMs)]);
  // The reason of the signal is not used, because it can be any value.
  const givenUp = () => new DOMException("The call timed out.", "AbortError");
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
