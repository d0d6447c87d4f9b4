import {
  contactWithin,
  mostProbes,
  mostSilentProbes,
  mostWorkers,
  provenFor,
  silencePause,
  silentAfter,
} from "../../core/fleet/servers.ts";
import { between, type Instant, plus, second } from "../../core/time.ts";

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
  /** Why the server had better not be asked now, for whoever has something else to wait for first. */
  silence(server: string, isUrgent: boolean): PassedOver | undefined;
  /** A call has ended that began then. `isUnavailable`: the server could not be asked. */
  note(server: string, began: Instant, isUnavailable: boolean): void;
}

interface Known {
  working: number;
  /** When a worker last began with it, or last heard from it. */
  lastSign: Instant | undefined;
  answeredAt: Instant | undefined;
  /** Whether the server takes a connection; asked outside of any slot. */
  contact: Contact | undefined;
  /** When a worker began to ask it who has not heard yet. */
  probeSince: Instant | undefined;
  /** In a row. */
  silences: number;
  silentUntil: Instant | undefined;
}

interface Contact {
  readonly since: Instant;
  result: "pending" | "connected" | "nothing";
  readonly ended: Promise<void>;
}

export interface ServersOf {
  readonly now: () => Instant;
  /** Resolves after so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** A number from 0 to 1. */
  readonly draw: () => number;
  /** Whether the server takes a connection, or says at once that it does not. Absent: only a call can tell. */
  readonly canConnect?: (server: string) => Promise<boolean>;
}

interface Memory extends ServersOf {
  readonly known: Map<string, Known>;
  readonly probing: Set<Known>;
  /** Wakes those who wait for a place. */
  readonly waiting: Set<() => void>;
}

/** What kind of place is missing: at the server, or among those who ask servers that may not answer. */
type Missing = "server" | "probe";

export function servers(of: ServersOf): Servers {
  const memory: Memory = { ...of, known: new Map(), probing: new Set(), waiting: new Set() };
  const { now } = of;
  return {
    async enter(server, isUrgent) {
      const before = findSilence(memory, server, isUrgent) ?? (await awaitContact(memory, server));
      if (before) return before;
      const since = now();
      for (;;) {
        const silent = findSilence(memory, server, isUrgent);
        if (silent) return silent;
        const place = take(memory, server);
        if (typeof place !== "string") return place;
        const left = between(now(), endOfWait(memory, server, place, since));
        if (left <= 0)
          return { until: later(memory, now(), busyPause), why: reason(server, place) };
        await someoneLeft(memory, left);
      }
    },
    silence: (server, isUrgent) => findSilence(memory, server, isUrgent),
    note(server, began, isUnavailable) {
      const state = getKnown(memory, server);
      // One that refuses at once holds nobody up.
      if (!isUnavailable || between(began, now()) < silentAfter) {
        Object.assign(state, { answeredAt: now(), lastSign: now(), silences: 0 });
        state.silentUntil = undefined;
        endProbe(memory, state);
        return;
      }
      noteSilence(memory, state);
    },
  };
}

function getKnown({ known }: Memory, server: string): Known {
  const found = known.get(server);
  if (found) return found;
  const fresh: Known = {
    ...{ working: 0, lastSign: undefined, answeredAt: undefined, contact: undefined },
    ...{ probeSince: undefined, silences: 0, silentUntil: undefined },
  };
  known.set(server, fresh);
  return fresh;
}

/** Whether the server has answered so recently that it is likely to do so again. */
function isProven({ answeredAt, silences }: Known, now: Instant): boolean {
  return answeredAt !== undefined && silences === 0 && between(answeredAt, now) < provenFor;
}

/**
 * Finds out whether the server takes connections, unless it has just answered. A healthy server says so within milliseconds; nobody waits
 * in a slot for one that does not. Returns why the target is passed over, or undefined if a call may tell more.
 */
async function awaitContact(memory: Memory, server: string): Promise<PassedOver | undefined> {
  const { now, pause, canConnect } = memory;
  const state = getKnown(memory, server);
  if (!canConnect || isProven(state, now())) return undefined;
  if (!state.contact || between(state.contact.since, now()) >= provenFor) {
    state.contact = startContact(memory, canConnect(server));
  }
  const { contact } = state;
  if (contact.result === "pending") {
    await Promise.race([contact.ended, pause(longestWaitForProbe)]);
  }
  const result = contact.result;
  if (result === "connected") return undefined;
  if (result === "pending") {
    const why = `server ${server} has not answered yet`;
    return { until: later(memory, now(), contactWithin), why };
  }
  // The second time a call is made all the same: its error is what people must hear of.
  if (state.silences > 0) return undefined;
  noteSilence(memory, state);
  return findSilence(memory, server, false);
}

function startContact({ now }: Memory, asked: Promise<boolean>): Contact {
  const contact: Contact = {
    since: now(),
    result: "pending",
    ended: asked.then(
      (isConnected) => {
        contact.result = isConnected ? "connected" : "nothing";
      },
      // Whatever went wrong here: a call says it better.
      () => {
        contact.result = "connected";
      },
    ),
  };
  return contact;
}

function noteSilence({ now }: Memory, state: Known): void {
  state.silences += 1;
  state.silentUntil = plus(now(), silencePause(state.silences));
  state.contact = undefined;
}

/** Targets that were passed over together do not come back together. */
function later({ draw }: Memory, from: Instant, milliseconds: number): Instant {
  return plus(from, Math.round(milliseconds * (1 + draw())));
}

/** Why the server cannot be asked before then, whoever else is done meanwhile. */
function findSilence(memory: Memory, server: string, isUrgent: boolean): PassedOver | undefined {
  const { silentUntil, working } = getKnown(memory, server);
  if (silentUntil === undefined) return undefined;
  const now = memory.now();
  const isOver = isUrgent || silentUntil <= now;
  if (isOver && working === 0) return undefined;
  // Whoever is just asking it knows soon.
  const until = silentUntil > now && !isUrgent ? silentUntil : plus(now, busyPause);
  const why = `server ${server} does not answer; it is asked again later`;
  return { until: later(memory, until, second), why };
}

function reason(server: string, missing: Missing): string {
  return missing === "server"
    ? `server ${server} is busy with other targets`
    : `server ${server} was not asked yet, and others that may not answer come first`;
}

function take(memory: Memory, server: string): Entered | Missing {
  const { probing, now } = memory;
  const state = getKnown(memory, server);
  const isProbe = !isProven(state, now());
  if (state.working >= (isProbe ? 1 : mostWorkers) || isHanging(state, now())) return "server";
  if (isProbe && !hasProbe(probing, state)) return "probe";
  state.working += 1;
  state.lastSign = now();
  if (isProbe) {
    state.probeSince = now();
    probing.add(state);
  }
  return {
    leave() {
      state.working -= 1;
      state.lastSign = now();
      if (isProbe) endProbe(memory, state);
      wakeAll(memory);
    },
  };
}

/** A worker is at the server and has heard nothing for a while: another one would most likely wait as well. */
function isHanging({ working, lastSign }: Known, now: Instant): boolean {
  return working > 0 && lastSign !== undefined && between(lastSign, now) >= silentAfter;
}

/** One of the places is kept for servers that have not been silent, so that there is always one to find out about a new server. */
function hasProbe(probing: ReadonlySet<Known>, state: Known): boolean {
  const silent = [...probing].filter(isSilent);
  return probing.size < mostProbes && (!isSilent(state) || silent.length < mostSilentProbes);
}

/** It was silent, and nothing shows yet that it is back. */
function isSilent({ silences, contact }: Known): boolean {
  return silences > 0 && contact?.result !== "connected";
}

/** It is known now whether the server answers: its place among the probes is free. */
function endProbe(memory: Memory, state: Known): void {
  if (!memory.probing.delete(state)) return;
  state.probeSince = undefined;
  wakeAll(memory);
}

function wakeAll({ waiting }: Memory): void {
  for (const wake of waiting) wake();
}

/** Until when it is worth waiting for a place: as soon as one of those in the way is done there is room. */
function endOfWait(memory: Memory, server: string, missing: Missing, since: Instant): Instant {
  const inTheWay = missing === "probe" ? [...memory.probing] : [getKnown(memory, server)];
  const ends = inTheWay.map(({ probeSince }) =>
    probeSince === undefined ? plus(since, longestWait) : plus(probeSince, longestWaitForProbe),
  );
  return ends.reduce((latest, end) => (end > latest ? end : latest));
}

async function someoneLeft({ waiting, pause }: Memory, atMost: number): Promise<void> {
  const left = Promise.withResolvers<undefined>();
  const wake = () => {
    left.resolve(undefined);
  };
  waiting.add(wake);
  await Promise.race([left.promise, pause(atMost)]);
  waiting.delete(wake);
}
