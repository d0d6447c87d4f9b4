import type { Api } from "../console/api.ts";
import { clock } from "../console/lines.ts";

/**
 * Milliseconds a claim lasts after its worker last renewed it. A killed worker cannot release its claims, so the next worker
 * waits until they expire. A test compares this number with the one in the app.
 */
export const claimLength = 120_000;

/** Notes at once that a host was killed, and lists the interrupted rotations when another host runs. */
export function findKilledHostNotes(note: (text: string) => void) {
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
  return `The Functions host was killed (${how}) and is restarting. Interrupted rotations continue when its claims expire, at ${claimsEnd(killedAt)} at the latest.`;
}

/** Lists the rotations that wait for the claims of the killed host. */
async function runsAgainNote(api: Pick<Api, "targets">, killedAt: number): Promise<string> {
  const again = "The Functions host is running again.";
  const targets = await api.targets().catch(() => undefined);
  if (targets === undefined) return again;
  const waiting = targets.filter(({ rotation }) => rotation !== undefined).map(({ id }) => id);
  if (waiting.length === 0) return `${again} No rotation was interrupted.`;
  const names = waiting.join(", ");
  return `${again} Interrupted rotations: ${names}. They continue when the claims of the killed host expire, at ${claimsEnd(killedAt)} at the latest. Until then the published passwords do not change.`;
}

const claimsEnd = (killedAt: number): string =>
  clock(new Date(killedAt + claimLength).toISOString());
