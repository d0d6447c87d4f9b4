import { second } from "../../core/time.ts";

/** Milliseconds. A header tells whole seconds, and answers overtake each other. */
const tolerance = 2 * second;

/** Milliseconds for which answers must agree that the service's clock is behind before they are believed. */
const confirmedAfter = 30 * second;

/** The clocks of this machine, in milliseconds. */
export interface MachineClocks {
  /** The time of day; somebody may set it. */
  readonly wall: () => number;
  /** Only ever moves forward, and may stand still while the process is suspended. */
  readonly steady: () => number;
}

export interface ServiceClock {
  now(): Date;
  /** Call it when a request is sent, and the function that it returns with the `Date` header of the answer. */
  sent(): (date: string | undefined) => void;
}

const thisMachine: MachineClocks = { wall: () => Date.now(), steady: () => performance.now() };

/** What the service's clock showed, and what the steady clock of this machine showed then. */
interface Reading {
  readonly time: number;
  readonly steady: number;
}

/**
 * The clock of a service, from the `Date` headers of its answers, carried on with the clocks of this machine. Until the
 * first answer it is the clock of this machine. Never more than a moment ahead of the service: an answer was already some
 * time on the way, and the latest moment that any answer proves is what counts. An answer that is older than an earlier
 * one, as from a cache, changes nothing, unless all answers say the same for half a minute.
 */
export function serviceClock({ wall, steady }: MachineClocks = thisMachine): ServiceClock {
  let latest: Reading | undefined;
  /** The first of several answers in a row that are older than `latest`. */
  let doubt: Reading | undefined;
  /** How far the wall clock was ahead of the steady one when the last good answer was asked for. */
  let lead = 0;

  const carried = (from: Reading, to: number) => from.time + (to - from.steady);

  /** While the process is suspended, the wall clock goes on and the steady one may not. */
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

/** Milliseconds since the epoch; undefined for what is not the date of an HTTP answer. */
function timeIn(date: string | undefined): number | undefined {
  const isDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(
    date ?? "",
  );
  const time = isDate ? Date.parse(date ?? "") : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
