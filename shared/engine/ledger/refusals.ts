import { type LedgerAction } from "../../core/ledger/actions.ts";
import { boundEntry, type LedgerEntry } from "../../core/ledger/entry.ts";
import { between, type Instant, minute, toInstant } from "../../core/time.ts";
import type { Ports } from "../ports.ts";

/** A request that would have changed something and was refused. It never contains what the caller sent. */
export interface Refused {
  readonly by: string;
  readonly action: LedgerAction;
  /** Why, as the title of the problem. */
  readonly why: string;
  readonly target?: string;
}

type RefusalPorts = Pick<Ports, "journal" | "newId">;

/** How many refusals of one caller and kind are entries of their own in each window. The rest are one entry with their number. */
const maxEach = 5;

/** Callers and kinds that are counted apart in each window. */
const maxKinds = 50;

const windowMs = minute;

/** Refusals of one caller and kind that have no entry yet. */
interface Uncovered {
  readonly refused: Refused;
  first: Instant;
  last: Instant;
  left: number;
}

interface Counted extends Uncovered {
  /** How many have had an entry of their own in this window. */
  written: number;
}

/** Counts refusals by caller and kind, for a window of time. */
function makeWindow() {
  let counts = new Map<string, Counted>();
  let begun: Instant | undefined;

  function count(refused: Refused, at: Instant, began: Instant): Counted {
    begun ??= began;
    const own = JSON.stringify([refused.by, refused.action, refused.why]);
    const key = counts.has(own) || counts.size < maxKinds ? own : "others";
    const { action, why } = refused;
    const first = key === own ? refused : { by: "several callers", action, why };
    const counted = counts.get(key) ?? { refused: first, first: at, last: at, left: 0, written: 0 };
    if (at < counted.first) counted.first = at;
    if (at > counted.last) counted.last = at;
    counts.set(key, counted);
    return counted;
  }

  return {
    /** Counts the refusal. Returns whether it may have an entry of its own. */
    add(refused: Refused, at: Instant): boolean {
      const counted = count(refused, at, at);
      const isOwn = counted.written < maxEach && counted.refused.by === refused.by;
      if (isOwn) counted.written += 1;
      else counted.left += 1;
      return isOwn;
    },
    /** Takes the counts of a window that is over. The caller writes them or puts them back. */
    takeOver(at: Instant): readonly Uncovered[] {
      if (begun === undefined || between(begun, at) < windowMs) return [];
      const over = [...counts.values()].filter(({ left }) => left > 0);
      counts = new Map();
      begun = undefined;
      return over;
    },
    /** Adds to the present window, whose kinds are limited, however long the journal is down. */
    putBack(some: readonly Uncovered[], at: Instant): void {
      for (const { refused, first, last, left } of some) {
        count(refused, first, at);
        count(refused, last, at).left += left;
      }
    },
  };
}

/**
 * The refusals of one process. Nobody can fill the ledger with them: at most `maxEach` entries a minute for a caller and kind, and
 * `maxKinds` of those. What is only counted is written with the next refusal after its minute, or by the next sweep of this process; a
 * process that dies before loses the count. A journal that cannot be reached changes no answer: the refusals join the next window.
 */
export function makeRefusals() {
  const window = makeWindow();

  async function write(
    { journal, newId }: RefusalPorts,
    over: readonly Uncovered[],
    at: Instant,
    own?: Refused,
  ): Promise<void> {
    const make = () => ({ id: newId(), at });
    const entries = [
      ...over.map((one) => toEntry(one.refused, make(), describe(one))),
      ...(own ? [toEntry(own, make())] : []),
    ];
    if (entries.length === 0) return;
    try {
      await journal.ledger.log(entries);
    } catch {
      const missing = own ? [{ refused: own, first: at, last: at, left: 1 }] : [];
      window.putBack([...over, ...missing], at);
    }
  }

  return {
    async note(ports: RefusalPorts, refused: Refused): Promise<void> {
      const at = toInstant(ports.journal.now());
      const over = window.takeOver(at);
      const isOwn = window.add(refused, at);
      await write(ports, over, at, isOwn ? refused : undefined);
    },
    /** Writes what was counted in a window that is over. */
    async flush(ports: RefusalPorts): Promise<void> {
      const at = toInstant(ports.journal.now());
      await write(ports, window.takeOver(at), at);
    },
  };
}

function describe({ refused, left, first, last }: Uncovered): string {
  return `${refused.why}: refused ${left} more times from ${first} to ${last}`;
}

function toEntry(
  { by, action, why, target }: Refused,
  made: Pick<LedgerEntry, "id" | "at">,
  summary?: string,
): LedgerEntry {
  return boundEntry({
    ...{ ...made, by, action, outcome: "refused", detail: summary ?? why },
    ...(target !== undefined && summary === undefined && { targets: [target] }),
  });
}
