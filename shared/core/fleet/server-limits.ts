import { minute, second } from "../time.ts";

/** How many workers of one instance may use the same server at a time. */
export const maxWorkers = 2;

/**
 * How many workers of one instance may contact servers that are not known to answer: a third of the messages that the host passes
 * to an instance at a time (`host.json`).
 */
export const maxProbes = 2;

/** How many of those workers may contact servers that did not answer before. */
export const maxSilentProbes = 1;

/**
 * Milliseconds in which a server must accept a connection before a call to it is made. A lost first packet is sent again after one second,
 * so a slow line is not taken for a dead server.
 */
export const contactWithin = 2 * second;

/** Milliseconds for which a server that has answered is taken to be available. */
export const provenFor = 30 * second;

/** Milliseconds after which a server that has not answered a call counts as silent. */
export const silentAfter = 2 * second;

const firstPauseMs = 5 * second;
const maxPauseMs = 5 * minute;

/** Milliseconds until the next call to a server that was silent so many times in a row. */
export function computeSilencePause(silences: number): number {
  return Math.min(firstPauseMs * 2 ** (silences - 1), maxPauseMs);
}
