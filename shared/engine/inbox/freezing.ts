import { describeFreeze } from "../../core/freezes/describe-freeze.ts";
import {
  endFreeze,
  type FreezeInput,
  hasEnded,
  isFrozenBy,
  makeFreeze,
  type OperatorFreeze,
} from "../../core/freezes/operator-freeze.ts";
import { boundEntry, type LedgerAction } from "../../core/ledger/entry.ts";
import type { Origin } from "../../core/record/justification.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Freezes } from "../fleet/frozen-targets.ts";
import type { Ports } from "../ports.ts";
import { type WakeQueues, wakeReleased } from "../scheduling/wake.ts";

/** A freeze as people see it. */
export interface FreezeView extends OperatorFreeze {
  readonly state: "planned" | "in force" | "ended";
  /** How many configured targets it applies to now. */
  readonly matches: number;
}

/** Freezes that people set, next to those of the policies. */
export interface Freezing {
  /** Durable when it returns; every worker knows the freeze within 15 seconds. Throws ConfigError. */
  freeze(wanted: FreezeInput): Promise<FreezeView>;
  /** Lists the freezes, oldest first, with those that have ended within the retention. */
  freezes(): Promise<readonly FreezeView[]>;
  /** Ends a freeze early. Returns it unchanged when it has ended, and undefined when it does not exist. */
  endFreeze(freezeId: string, origin: Origin): Promise<FreezeView | undefined>;
}

export function makeFreezing(
  { journal, newId }: Pick<Ports, "journal" | "newId">,
  known: Freezes,
  { targets, ...queues }: WakeQueues & { readonly targets: readonly Target[] },
): Freezing {
  const now = () => toInstant(journal.now());
  const view = (freeze: OperatorFreeze): FreezeView => ({
    ...freeze,
    state: findState(freeze, now()),
    matches: targets.filter((target) => isFrozenBy(target, freeze)).length,
  });
  async function put(
    freeze: OperatorFreeze,
    action: LedgerAction,
    { by, reason, ticket }: Origin,
  ): Promise<void> {
    const entry = boundEntry({
      ...{ id: newId(), at: now(), by, action, outcome: "accepted", reason, ticket },
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
      await put(freeze, "freeze.set", freeze);
      return view(freeze);
    },
    freezes: async () => (await journal.freezes()).map(view),
    async endFreeze(freezeId, origin) {
      const found = (await journal.freezes()).find(({ id }) => id === freezeId);
      if (!found) return undefined;
      const ended = endFreeze(found, origin, now());
      if (ended === found) return view(ended);
      await put(ended, "freeze.end", origin);
      const frozen = targets.filter((target) => isFrozenBy(target, ended));
      await wakeReleased({ journal, freezes: known }, queues, frozen);
      return view(ended);
    },
  };
}

function findState(freeze: OperatorFreeze, now: Instant): FreezeView["state"] {
  if (hasEnded(freeze, now)) return "ended";
  return freeze.from > now ? "planned" : "in force";
}
