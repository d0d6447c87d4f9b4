import { describeFreeze } from "../../core/freezes/describe-freeze.ts";
import {
  endFreeze,
  type FreezeInput,
  hasEnded,
  isFrozenBy,
  makeFreeze,
  type OperatorFreeze,
} from "../../core/freezes/operator-freeze.ts";
import { boundEntry, type EntryInput } from "../../core/ledger/entry.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Freezes } from "../fleet/frozen-targets.ts";
import type { Ports } from "../ports.ts";

/** A freeze as people see it. */
export interface FreezeView extends OperatorFreeze {
  readonly state: "planned" | "in force" | "ended";
  /** How many configured targets it applies to now. */
  readonly matches: number;
}

/** Freezes that people set, next to those of the policies. */
export interface Freezing {
  /** Durable when it returns; every process knows the freeze within ten seconds. Throws ConfigError. */
  freeze(wanted: FreezeInput): Promise<FreezeView>;
  /** Lists the freezes, oldest first, with those that have ended within the retention. */
  freezes(): Promise<readonly FreezeView[]>;
  /** Ends a freeze early. Returns it unchanged when it has ended, and undefined when it does not exist. */
  endFreeze(freezeId: string, by: string): Promise<FreezeView | undefined>;
}

export function makeFreezing(
  { journal, newId }: Pick<Ports, "journal" | "newId">,
  known: Freezes,
  targets: readonly Target[],
): Freezing {
  const now = () => toInstant(journal.now());
  const view = (freeze: OperatorFreeze): FreezeView => ({
    ...freeze,
    state: findState(freeze, now()),
    matches: targets.filter((target) => isFrozenBy(target, freeze)).length,
  });
  async function put(
    freeze: OperatorFreeze,
    { by, action, reason }: Pick<EntryInput, "by" | "action" | "reason">,
  ): Promise<void> {
    const entry = boundEntry({
      ...{ id: newId(), at: now(), by, action, outcome: "accepted", reason },
      ...describeFreeze(freeze),
    });
    try {
      await journal.putFreeze(freeze, [entry]);
    } finally {
      // A write whose answer was lost may have happened.
      known.forget();
    }
  }
  return {
    async freeze(wanted) {
      const freeze = makeFreeze(wanted, await journal.freezes(), newId(), now());
      await put(freeze, { by: freeze.by, action: "freeze.set", reason: freeze.reason });
      return view(freeze);
    },
    freezes: async () => (await journal.freezes()).map(view),
    async endFreeze(freezeId, by) {
      const found = (await journal.freezes()).find(({ id }) => id === freezeId);
      if (!found) return undefined;
      const ended = endFreeze(found, by, now());
      if (ended !== found) await put(ended, { by, action: "freeze.end" });
      return view(ended);
    },
  };
}

function findState(freeze: OperatorFreeze, now: Instant): FreezeView["state"] {
  if (hasEnded(freeze, now)) return "ended";
  return freeze.from > now ? "planned" : "in force";
}
