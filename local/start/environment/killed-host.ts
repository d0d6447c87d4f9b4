import type { Api } from "../console/api.ts";
import { clock } from "../console/lines.ts";

/**
 * Milliseconds a claim lasts after its worker last renewed it. A worker that was killed cannot give its claims back, so the
 * next one waits for their end. A test compares it with what the app uses.
 */
export const claimLength = 120_000;

/** Says at once that a host was killed, and what waits for how long when another one runs. */
export function killedHostNotes(note: (text: string) => void) {
  let killedAt: number | undefined;
  return {
    onKilled: (how: string): void => {
      killedAt = Date.now();
      note(killedNote(how, killedAt));
    },
    onRunning: async (api: Pick<Api, "targets">): Promise<void> => {
      if (killedAt === undefined) return;
      const text = await runsAgainNote(api, killedAt);
      killedAt = undefined;
      note(text);
    },
  };
}

/** `killedAt` in milliseconds since the epoch. */
function killedNote(how: string, killedAt: number): string {
  return `The Functions host was killed (${how}) and is being started again. What it was working on continues when its claims end, at ${claimsEnd(killedAt)} at the latest.`;
}

/** Said when another host runs: what waits, and for what. */
async function runsAgainNote(api: Pick<Api, "targets">, killedAt: number): Promise<string> {
  const again = "The Functions host runs again.";
  const targets = await api.targets().catch(() => undefined);
  if (targets === undefined) return again;
  const waiting = targets.filter(({ rotation }) => rotation !== undefined).map(({ id }) => id);
  if (waiting.length === 0) return `${again} No rotation was under way.`;
  const names = waiting.join(", ");
  return `${again} Under way when it was killed: ${names}. They continue when the claim of the killed host ends, at ${claimsEnd(killedAt)} at the latest. Until then the published passwords stay as they are.`;
}

const claimsEnd = (killedAt: number): string =>
  clock(new Date(killedAt + claimLength).toISOString());
