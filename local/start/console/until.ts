import { setTimeout as wait } from "node:timers/promises";

/** Repeats `ask` until it returns an answer; throws `otherwise` when there is none in time. */
export async function until<Answer>(
  ask: () => Promise<Answer | undefined>,
  limit: { readonly seconds: number; readonly otherwise: string; readonly signal: AbortSignal },
): Promise<Answer> {
  const end = performance.now() + limit.seconds * 1000;
  for (;;) {
    limit.signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(limit.otherwise);
    await wait(100);
  }
}
