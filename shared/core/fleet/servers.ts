import { minute, second } from "../time.ts";

/** Workers of one instance that may be busy with one server. */
export const mostWorkers = 2;

/**
 * Workers of one instance that may ask servers of which it is not known that they answer: a third of the messages that the host hands
 * to an instance at a time (`host.json`).
 */
export const mostProbes = 2;

/** How many of those may ask servers that have been silent before. */
export const mostSilentProbes = 1;

/** Milliseconds in which a server must take a connection before a call to it is made; one that is far away needs less than half of it. */
export const contactWithin = second;

/** Milliseconds for which a server that has answered is taken to be there. */
export const provenFor = 30 * second;

/** A call that has not been answered for so many milliseconds has met a server that is silent. */
export const silentAfter = 2 * second;

const firstPause = 5 * second;
const longestPause = 5 * minute;

/** Milliseconds until a server is asked again that was silent so many times in a row. */
export function silencePause(silences: number): number {
  return Math.min(firstPause * 2 ** (silences - 1), longestPause);
}
