import { mostProbes, mostWorkers, silencePause, silentAfter } from "../core/servers.ts";
import { between, type Instant, plus, second } from "../core/time.ts";

/** Milliseconds for which a worker waits in its place: others are about to be done. */
const longestWait = 2 * second;
/** The same where others ask a server that may not answer at all: one that does has done so by then. */
const longestWaitForProbe = 300;
/** Milliseconds, at most twice, until a target is looked at again that found its server busy. */
const busyPause = 5 * second;

/** A worker may ask the server, and says when it is done. */
export interface Entered {
  leave(): void;
}

/** It had better not, until then. */
export interface PassedOver {
  readonly until: Instant;
  readonly why: string;
}

/**
 * What one instance remembers of servers, so that those that are silent or busy do not hold up the targets of others. Only an
 * optimisation: what may be done to a target is in the journal.
 */
export interface Servers {
  /** `isUrgent`: a person waits; a silent server is asked again at once, unless somebody is just asking it. */
  enter(server: string, isUrgent: boolean): Promise<Entered | PassedOver>;
  /** A call has ended that began then. `isUnavailable`: the server could not be asked. */
  note(server: string, began: Instant, isUnavailable: boolean): void;
}

interface Known {
  working: number;
  /** When somebody began to ask it who has not heard yet. */
  probeSince: Instant | undefined;
  hasAnswered: boolean;
  /** In a row. */
  silences: number;
  silentUntil: Instant | undefined;
}

export interface ServersOf {
  readonly now: () => Instant;
  /** Resolves after so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** A number from 0 to 1. */
  readonly draw: () => number;
}

export function servers({ now, pause, draw }: ServersOf): Servers {
  const known = new Map<string, Known>();
  const waiting = new Set<() => void>();
  const probing = new Set<Known>();

  const knownOf = (server: string): Known => {
    const found = known.get(server);
    if (found) return found;
    const fresh: Known = {
      ...{ working: 0, probeSince: undefined },
      ...{ hasAnswered: false, silences: 0, silentUntil: undefined },
    };
    known.set(server, fresh);
    return fresh;
  };

  /** Targets that were passed over together do not come back together. */
  const later = (from: Instant, milliseconds: number) =>
    plus(from, Math.round(milliseconds * (1 + draw())));

  /** Why the server cannot be asked before then, whoever else is done meanwhile. */
  function silence(server: string, isUrgent: boolean): PassedOver | undefined {
    const { silentUntil, working } = knownOf(server);
    if (silentUntil === undefined) return undefined;
    const isOver = isUrgent || silentUntil <= now();
    if (isOver && working === 0) return undefined;
    const why = `server ${server} does not answer; it is asked again later`;
    const until = silentUntil > now() ? silentUntil : plus(now(), busyPause);
    return { until: later(until, second), why };
  }

  /** Takes a place, or says what kind of place is missing. */
  function take(server: string): Entered | "server" | "probe" {
    const state = knownOf(server);
    const isProbe = !state.hasAnswered || state.silentUntil !== undefined;
    if (state.working >= (isProbe ? 1 : mostWorkers)) return "server";
    if (isProbe && probing.size >= mostProbes) return "probe";
    state.working += 1;
    if (isProbe) {
      state.probeSince = now();
      probing.add(state);
    }
    return {
      leave() {
        state.working -= 1;
        if (isProbe) {
          state.probeSince = undefined;
          probing.delete(state);
        }
        for (const wake of waiting) wake();
      },
    };
  }

  /** Until when it is worth waiting for a place. */
  function endOfWait(server: string, place: "server" | "probe", since: Instant): Instant {
    const { probeSince } = knownOf(server);
    const inTheWay = place === "probe" ? [...probing].map((one) => one.probeSince) : [probeSince];
    const ends = inTheWay.map((one) =>
      one === undefined ? plus(since, longestWait) : plus(one, longestWaitForProbe),
    );
    // The first of them that is done makes room.
    return ends.reduce((latest, end) => (end > latest ? end : latest));
  }

  async function someoneLeft(atMost: number): Promise<void> {
    const left = Promise.withResolvers<void>();
    waiting.add(left.resolve);
    await Promise.race([left.promise, pause(atMost)]);
    waiting.delete(left.resolve);
  }

  return {
    async enter(server, isUrgent) {
      const since = now();
      for (;;) {
        const silent = silence(server, isUrgent);
        if (silent) return silent;
        const place = take(server);
        if (typeof place !== "string") return place;
        const left = between(now(), endOfWait(server, place, since));
        if (left <= 0) {
          const why =
            place === "server"
              ? `server ${server} is busy with other targets`
              : `server ${server} was not asked yet, and others that may not answer come first`;
          return { until: later(now(), busyPause), why };
        }
        await someoneLeft(left);
      }
    },
    note(server, began, isUnavailable) {
      const state = knownOf(server);
      // One that refuses at once holds nobody up.
      if (!isUnavailable || between(began, now()) < silentAfter) {
        [state.hasAnswered, state.silences, state.silentUntil] = [true, 0, undefined];
        return;
      }
      state.silences += 1;
      state.silentUntil = plus(now(), silencePause(state.silences));
    },
  };
}
