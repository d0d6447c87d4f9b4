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

interface Counted {
  readonly refused: Refused;
  readonly first: Instant;
  last: Instant;
  /** How many have no entry yet. */
  left: number;
  written: number;
}

/**
 * The refusals of one process. Nobody can fill the ledger with them: at most `maxEach` entries a minute for a caller and kind, and
 * `maxKinds` of those. What is only counted is written with the next refusal after its minute, or by the next sweep of this process; a
 * process that dies before loses the count. A journal that cannot be reached changes no answer: the refusal is counted.
 */
export function makeRefusals() {
  let counts = new Map<string, Counted>();
  let begun: Instant | undefined;

  function count(refused: Refused, at: Instant): Counted {
    const own = JSON.stringify([refused.by, refused.action, refused.why]);
    const key = counts.has(own) || counts.size < maxKinds ? own : "others";
    const { action, why } = refused;
    const first = key === own ? refused : { by: "several callers", action, why };
    const counted = counts.get(key) ?? { refused: first, first: at, last: at, left: 0, written: 0 };
    counts.set(key, counted);
    return counted;
  }

  /** The entries of a window that is over. */
  function endWindow(at: Instant, newId: () => string): LedgerEntry[] {
    if (begun === undefined || between(begun, at) < windowMs) return [];
    const left = [...counts.values()].filter((one) => one.left > 0);
    counts = new Map();
    begun = undefined;
    return left.map((one) => toEntry(one.refused, { id: newId(), at }, describe(one)));
  }

  async function write(
    { journal }: RefusalPorts,
    entries: readonly LedgerEntry[],
  ): Promise<boolean> {
    if (entries.length === 0) return true;
    return journal.ledger.log(entries).then(
      () => true,
      () => false,
    );
  }

  return {
    async note(ports: RefusalPorts, refused: Refused): Promise<void> {
      const at = toInstant(ports.journal.now());
      const earlier = endWindow(at, ports.newId);
      begun ??= at;
      const counted = count(refused, at);
      counted.last = at;
      if (counted.written >= maxEach || counted.refused.by !== refused.by) {
        counted.left += 1;
        await write(ports, earlier);
        return;
      }
      counted.written += 1;
      const entry = toEntry(refused, { id: ports.newId(), at });
      if (!(await write(ports, [...earlier, entry]))) counted.left += 1;
    },
    /** Writes what was counted in a window that is over. */
    async flush(ports: RefusalPorts): Promise<void> {
      await write(ports, endWindow(toInstant(ports.journal.now()), ports.newId));
    },
  };
}

function describe({ refused, left, first, last }: Counted): string {
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
