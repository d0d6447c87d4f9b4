import { second } from "../../core/time.ts";

/** Milliseconds. A header has whole seconds, and answers can overtake each other. */
const tolerance = 2 * second;

/** Milliseconds for which all answers must show that the clock of the service went back, before it counts. */
const confirmedAfter = 30 * second;

/** The clocks of this machine, in milliseconds. */
export interface MachineClocks {
  /** The time of day. A person or a service may set it. */
  readonly wall: () => number;
  /** A clock that only moves forward, and may stop while the process is suspended. */
  readonly steady: () => number;
}

export interface ServiceClock {
  now(): Date;
  /** Call it when a request is sent, and the function that it returns with the `Date` header of the answer. */
  sent(): (date: string | undefined) => void;
}

const thisMachine: MachineClocks = { wall: () => Date.now(), steady: () => performance.now() };

/** A time of the service clock, with the time of the steady clock of this machine at that moment. */
interface Reading {
  readonly time: number;
  readonly steady: number;
}

/**
 * The clock of a service, from the `Date` headers of its answers, continued with the clocks of this machine. Before the first answer
 * it is the clock of this machine. It is never more than a moment ahead of the service, because the transfer of an answer takes time,
 * and the latest time that any answer proves counts. An answer older than an earlier one, for example from a cache, has no effect
 * unless all answers agree for half a minute.
 */
export function makeServiceClock({ wall, steady }: MachineClocks = thisMachine): ServiceClock {
  let latest: Reading | undefined;
  /** The first of several consecutive answers that are older than `latest`. */
  let doubt: Reading | undefined;
  /** How far the wall clock was ahead of the steady clock at the request of the last valid answer. */
  let lead = 0;

  const carried = (from: Reading, to: number) => from.time + (to - from.steady);

  /** While the process is suspended, the wall clock continues, and the steady clock may stop. */
  const slept = () => Math.max(0, wall() - steady() - lead);

  function isOlder(found: Reading): boolean {
    return latest !== undefined && found.time < carried(latest, found.steady) - tolerance;
  }

  function isConfirmed(found: Reading): boolean {
    const isSame = doubt && Math.abs(carried(doubt, found.steady) - found.time) <= tolerance;
    if (!doubt || isSame !== true) doubt = found;
    return found.steady - doubt.steady >= confirmedAfter;
  }

  return {
    now: () => new Date(latest ? carried(latest, steady()) + slept() : wall()),
    sent() {
      const leadThen = wall() - steady();
      return (date) => {
        const time = timeIn(date);
        if (time === undefined) return;
        const found = { time, steady: steady() };
        const isBehind = isOlder(found);
        if (isBehind && !isConfirmed(found)) return;
        doubt = undefined;
        lead = leadThen;
        if (!latest || isBehind || found.time > carried(latest, found.steady)) latest = found;
      };
    },
  };
}

/** Milliseconds since the epoch; undefined if the text is not an HTTP date. */
function timeIn(date: string | undefined): number | undefined {
  const isDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(
    date ?? "",
  );
  const time = isDate ? Date.parse(date ?? "") : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
