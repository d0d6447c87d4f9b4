import { findRoom, maxHoldMs } from "../core/fleet/vault-limit.ts";
import { type Instant, plus, toInstant } from "../core/time.ts";
import type { Pace, PaceMark, PaceStore } from "./pace.ts";

interface RoomRequest {
  readonly creates: number;
  readonly maxWaitMs: number;
  readonly granted: (wait: number) => void;
}

/** How many races against other instances one query may lose before all its callers get room without a reservation. */
const maxRaces = 10;

/** `perWindow`: versions in 10 seconds. Callers that arrive during a query become part of the next one. */
export function makeSharedPace(
  store: PaceStore,
  perWindow: (vault: string) => number,
  now: () => Date,
): Pace {
  const waiting = new Map<string, RoomRequest[]>();
  const update = makeUpdater(store);

  async function grantAll(vault: string): Promise<void> {
    for (;;) {
      const requests = waiting.get(vault) ?? [];
      if (requests.length === 0) break;
      waiting.set(vault, []);
      const waits = await grant(vault, requests).catch(() => []);
      requests.forEach(({ granted }, index) => {
        granted(waits[index] ?? 0);
      });
    }
    waiting.delete(vault);
  }

  async function grant(
    vault: string,
    requests: readonly RoomRequest[],
  ): Promise<readonly number[]> {
    let waits: readonly number[] = [];
    await update(vault, (known) => {
      let freeAt = known;
      waits = requests.map(({ creates, maxWaitMs }) => {
        const room = findRoom(creates, freeAt, perWindow(vault), toInstant(now()));
        if (room.wait <= maxWaitMs) ({ freeAt } = room);
        return room.wait;
      });
      return freeAt;
    });
    return waits;
  }

  return {
    take: (vault, creates, maxWaitMs) =>
      new Promise((granted) => {
        const others = waiting.get(vault);
        waiting.set(vault, [...(others ?? []), { creates, maxWaitMs, granted }]);
        if (!others) void grantAll(vault);
      }),
    perWindow,
    async slowDown(vault, milliseconds) {
      const until = plus(toInstant(now()), Math.min(milliseconds, maxHoldMs));
      const later = (freeAt = until) => (freeAt > until ? freeAt : until);
      await update(vault, later).catch(() => undefined);
    },
  };
}

/** Changes a mark unless another instance changed it. Stops after many races. */
function makeUpdater(store: PaceStore) {
  const marks = new Map<string, PaceMark>();
  return async (
    vault: string,
    change: (freeAt: Instant | undefined) => Instant | undefined,
  ): Promise<void> => {
    let mark = marks.get(vault);
    for (let races = 0; races < maxRaces; races++) {
      // The stored mark is most likely the one that this instance wrote last.
      if (races > 0 || !mark) mark = await store.read(vault);
      const freeAt = change(mark?.freeAt);
      if (freeAt === undefined || freeAt === mark?.freeAt) return;
      const written = await store.write(vault, freeAt, mark?.etag);
      if (!written) continue;
      marks.set(vault, written);
      return;
    }
  };
}
