/** Simulated time, which jumps to the next moment at which something happens. */
export interface SimulatedClock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Returns a signal that fires after `ms` if a sleeper waits with it. */
  deadline(ms: number): AbortSignal;
  /** Like `sleep`, but rejects with the error from `late` when the signal fires first. */
  sleepWithin(ms: number, signal: AbortSignal, late: () => Error): Promise<void>;
  /** Lets time pass until `isOver`, or until no sleeper is left. */
  run(isOver: () => boolean): Promise<void>;
}

export function simulatedClock(start: number): SimulatedClock {
  let now = start;
  const moments = sleepers();
  const ends = new WeakMap<AbortSignal, { readonly at: number; abort(): void }>();
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      moments.add(now + Math.max(0, Math.round(ms)), resolve);
    });
  return {
    now: () => now,
    sleep,
    deadline(ms) {
      const controller = new AbortController();
      const abort = () => {
        controller.abort();
      };
      ends.set(controller.signal, { at: now + ms, abort });
      return controller.signal;
    },
    async sleepWithin(ms, signal, late) {
      const end = ends.get(signal);
      const left = end === undefined ? Infinity : end.at - now;
      await sleep(Math.min(ms, left));
      if (ms <= left) return;
      end?.abort();
      throw late();
    },
    async run(isOver) {
      for (;;) {
        // Work that needs no time continues first.
        await new Promise((resolve) => setImmediate(resolve));
        if (isOver()) return;
        const next = moments.takeFirst();
        if (!next) return;
        now = next.at;
        for (const wake of next.wakes) wake();
      }
    },
  };
}

interface Moment {
  readonly at: number;
  readonly wakes: (() => void)[];
}

/** A heap of sleepers by moment. Sleepers of the same moment wake in the order in which they fell asleep. */
function sleepers() {
  const heap: Moment[] = [];
  const known = new Map<number, Moment>();

  function swap(a: number, b: number): void {
    const [one, other] = [heap[a], heap[b]];
    if (one && other) [heap[a], heap[b]] = [other, one];
  }
  const atOf = (index: number) => heap[index]?.at ?? Infinity;

  function raise(index: number): void {
    const parent = (index - 1) >> 1;
    if (index === 0 || atOf(parent) <= atOf(index)) return;
    swap(index, parent);
    raise(parent);
  }

  function lower(index: number): void {
    const left = 2 * index + 1;
    const least = atOf(left + 1) < atOf(left) ? left + 1 : left;
    if (atOf(least) >= atOf(index)) return;
    swap(index, least);
    lower(least);
  }

  return {
    add(at: number, wake: () => void): void {
      const there = known.get(at);
      if (there) {
        there.wakes.push(wake);
        return;
      }
      const moment = { at, wakes: [wake] };
      known.set(at, moment);
      heap.push(moment);
      raise(heap.length - 1);
    },
    takeFirst(): Moment | undefined {
      const [first] = heap;
      const last = heap.pop();
      if (!first || !last) return undefined;
      if (last !== first) {
        heap[0] = last;
        lower(0);
      }
      known.delete(first.at);
      return first;
    },
  };
}
