import {
  computeSilencePause,
  contactWithin,
  maxProbes,
  maxSilentProbes,
  maxWorkers,
  provenFor,
  silentAfter,
} from "../../core/fleet/server-limits.ts";
import { between, type Instant, plus, second } from "../../core/time.ts";

/** Milliseconds for which a worker waits for a slot: other workers usually finish within that time. */
const maxWaitMs = 2 * second;
/** Milliseconds for which a worker waits while others contact servers that may not answer. A server that is up answers within that time. */
const maxWaitForProbeMs = 300;
/** Milliseconds, at most twice as many, until a target whose server was busy is tried again. */
const busyPause = 5 * second;

/** The worker may contact the server. It must call `leave` when it is done. */
export interface Entered {
  leave(): void;
}

/** The worker must not contact the server before `until`. */
export interface SkippedTurn {
  readonly until: Instant;
  readonly why: string;
}

/**
 * What one instance remembers about servers, so that silent or busy servers do not delay the targets of other servers. This is only an
 * optimisation: the journal decides what may be done to a target.
 */
export interface Servers {
  /** `isUrgent`: a person waits, so a silent server is contacted again at once, unless another worker is contacting it now. */
  enter(server: string, isUrgent: boolean): Promise<Entered | SkippedTurn>;
  /** Why the server must not be contacted now. For a worker that waits for something else first, and takes no slot yet. */
  silence(server: string, isUrgent: boolean): SkippedTurn | undefined;
  /** Records that a call which began at `began` has ended. `isUnavailable`: the server could not be reached. */
  note(server: string, began: Instant, isUnavailable: boolean): void;
}

interface Known {
  working: number;
  /** When a worker last started to use the server, or last got an answer from it. */
  lastSign: Instant | undefined;
  answeredAt: Instant | undefined;
  /** Whether the server accepts a connection. Checked outside of any slot. */
  contact: Contact | undefined;
  /** When a worker that has no answer yet began to contact the server. */
  probeSince: Instant | undefined;
  /** Number of consecutive silences. */
  silences: number;
  silentUntil: Instant | undefined;
}

interface Contact {
  readonly since: Instant;
  result: "pending" | "connected" | "nothing";
  readonly ended: Promise<void>;
}

export interface ServersDeps {
  readonly now: () => Instant;
  /** Resolves after this many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Returns a random number from 0 to 1. */
  readonly draw: () => number;
  /** Whether the server accepts a connection or refuses it at once. Absent: only a call shows whether the server answers. */
  readonly canConnect?: (server: string) => Promise<boolean>;
}

interface Memory extends ServersDeps {
  readonly known: Map<string, Known>;
  readonly probing: Set<Known>;
  /** Callbacks that wake the workers which wait for a slot. */
  readonly waiting: Set<() => void>;
}

/** Which slot is missing: one at the server, or one of those for servers that may not answer. */
type Missing = "server" | "probe";

export function makeServers(deps: ServersDeps): Servers {
  const memory: Memory = { ...deps, known: new Map(), probing: new Set(), waiting: new Set() };
  const { now } = deps;
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
      // A server that refuses at once delays no other target.
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

/** Whether the server has answered so recently that it will probably answer again. */
function isProven({ answeredAt, silences }: Known, now: Instant): boolean {
  return answeredAt !== undefined && silences === 0 && between(answeredAt, now) < provenFor;
}

/**
 * Checks whether the server accepts connections, unless it has just answered. A healthy server does so within milliseconds, and no worker
 * waits in a slot for a silent one. Returns why the target is postponed, or undefined if the worker should make a call.
 */
async function awaitContact(memory: Memory, server: string): Promise<SkippedTurn | undefined> {
  const { now, pause, canConnect } = memory;
  const state = getKnown(memory, server);
  if (!canConnect || isProven(state, now())) return undefined;
  if (!state.contact || between(state.contact.since, now()) >= provenFor) {
    state.contact = startContact(memory, canConnect(server));
  }
  const { contact } = state;
  if (contact.result === "pending") {
    await Promise.race([contact.ended, pause(maxWaitForProbeMs)]);
  }
  const result = contact.result;
  if (result === "connected") return undefined;
  if (result === "pending") {
    const why = `server ${server} has not answered yet`;
    return { until: later(memory, now(), contactWithin), why };
  }
  // From the second silence on, make the call anyway: its error is the message that people need.
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
      // Ignore this error: the error of a call says more.
      () => {
        contact.result = "connected";
      },
    ),
  };
  return contact;
}

function noteSilence({ now }: Memory, state: Known): void {
  state.silences += 1;
  state.silentUntil = plus(now(), computeSilencePause(state.silences));
  state.contact = undefined;
}

/** Adds a random delay, so that targets that were postponed together do not come back together. */
function later({ draw }: Memory, from: Instant, milliseconds: number): Instant {
  return plus(from, Math.round(milliseconds * (1 + draw())));
}

/** Why the server cannot be contacted before `until`, even if other workers leave it. */
function findSilence(memory: Memory, server: string, isUrgent: boolean): SkippedTurn | undefined {
  const { silentUntil, working } = getKnown(memory, server);
  if (silentUntil === undefined) return undefined;
  const now = memory.now();
  const isOver = isUrgent || silentUntil <= now;
  if (isOver && working === 0) return undefined;
  // Another worker that is contacting the server will know soon.
  const until = silentUntil > now && !isUrgent ? silentUntil : plus(now, busyPause);
  const why = `server ${server} does not answer; Keyturn will try again later`;
  return { until: later(memory, until, second), why };
}

function reason(server: string, missing: Missing): string {
  return missing === "server"
    ? `server ${server} is busy with other targets`
    : `Keyturn is contacting other servers that have not answered yet, and then server ${server}`;
}

function take(memory: Memory, server: string): Entered | Missing {
  const { probing, now } = memory;
  const state = getKnown(memory, server);
  const isProbe = !isProven(state, now());
  if (state.working >= (isProbe ? 1 : maxWorkers) || isHanging(state, now())) return "server";
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

/** Whether a worker has waited for the server for a while without an answer: another worker would probably wait as well. */
function isHanging({ working, lastSign }: Known, now: Instant): boolean {
  return working > 0 && lastSign !== undefined && between(lastSign, now) >= silentAfter;
}

/** Whether a probe slot is free. One slot is kept for servers that have not been silent, so that a new server can always be tried. */
function hasProbe(probing: ReadonlySet<Known>, state: Known): boolean {
  const silent = [...probing].filter(isSilent);
  return probing.size < maxProbes && (!isSilent(state) || silent.length < maxSilentProbes);
}

/** Whether the server was silent and has not accepted a connection since. */
function isSilent({ silences, contact }: Known): boolean {
  return silences > 0 && contact?.result !== "connected";
}

/** Frees the probe slot of a server once Keyturn knows whether it answers. */
function endProbe(memory: Memory, state: Known): void {
  if (!memory.probing.delete(state)) return;
  state.probeSince = undefined;
  wakeAll(memory);
}

function wakeAll({ waiting }: Memory): void {
  for (const wake of waiting) wake();
}

/** Until when a wait for a slot makes sense: the slot is free as soon as one of the blocking workers is done. */
function endOfWait(memory: Memory, server: string, missing: Missing, since: Instant): Instant {
  const inTheWay = missing === "probe" ? [...memory.probing] : [getKnown(memory, server)];
  const ends = inTheWay.map(({ probeSince }) =>
    probeSince === undefined ? plus(since, maxWaitMs) : plus(probeSince, maxWaitForProbeMs),
  );
  return ends.reduce((latest, end) => (end > latest ? end : latest));
}

async function someoneLeft({ waiting, pause }: Memory, maxWait: number): Promise<void> {
  const left = Promise.withResolvers<undefined>();
  const wake = () => {
    left.resolve(undefined);
  };
  waiting.add(wake);
  await Promise.race([left.promise, pause(maxWait)]);
  waiting.delete(wake);
}
