import { ConfigError } from "../../core/errors.ts";
import { describeFreeze } from "../../core/freezes/describe-freeze.ts";
import {
  endFreeze,
  type FreezeInput,
  hasEnded,
  isFrozenBy,
  makeFreeze,
  type OperatorFreeze,
} from "../../core/freezes/operator-freeze.ts";
import { type LedgerAction } from "../../core/ledger/actions.ts";
import { boundEntry, type LedgerEntry } from "../../core/ledger/entry.ts";
import type { Origin } from "../../core/record/justification.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Freezes } from "../fleet/frozen-targets.ts";
import type { Ports } from "../ports.ts";
import { type WakeQueues, wakeReleased } from "../scheduling/wake.ts";
import { answerOnce, rememberAnswer, type RequestKey } from "./request-key.ts";

/** A freeze as people see it. */
export interface FreezeView extends OperatorFreeze {
  readonly state: "planned" | "in force" | "ended";
  /** How many configured targets it applies to now. */
  readonly matches: number;
}

/** Freezes that people set, next to those of the policies. */
export interface Freezing {
  /**
   * Durable when it returns; every worker knows the freeze within 15 seconds. A freeze that applies to nothing is a mistake. Throws
   * ConfigError and KeyReusedError.
   */
  freeze(wanted: FreezeInput, key?: RequestKey): Promise<FreezeView>;
  /** Lists the freezes, oldest first, with those that have ended within the retention. */
  freezes(): Promise<readonly FreezeView[]>;
  /** Ends a freeze early. Returns it unchanged when it has ended, and undefined when it does not exist. */
  endFreeze(freezeId: string, origin: Origin, key?: RequestKey): Promise<FreezeView | undefined>;
}

export function makeFreezing(
  ports: Pick<Ports, "journal" | "newId" | "pause" | "randomBytes">,
  known: Freezes,
  { targets, ...queues }: WakeQueues & { readonly targets: readonly Target[] },
): Freezing {
  const { journal, newId } = ports;
  const now = () => toInstant(journal.now());
  const view = (freeze: OperatorFreeze): FreezeView => ({
    ...freeze,
    state: findState(freeze, now()),
    matches: targets.filter((target) => isFrozenBy(target, freeze)).length,
  });
  const toEntry = (freeze: OperatorFreeze, action: LedgerAction, origin: Origin) => {
    const { by, reason, ticket } = origin;
    return boundEntry({
      ...{ id: newId(), at: now(), by, action, outcome: "accepted", reason, ticket },
      ...describeFreeze(freeze),
    });
  };
  /** Writes the freeze, and returns its view, which the journal remembers with the key. */
  async function put(
    freeze: OperatorFreeze,
    key: RequestKey | undefined,
    entries: readonly LedgerEntry[],
  ): Promise<FreezeView> {
    const answer = view(freeze);
    try {
      await journal.putFreeze(freeze, entries, rememberAnswer(key, answer).request);
      return answer;
    } finally {
      // A write whose answer was lost may have happened.
      known.forget();
    }
  }
  return {
    freeze: (wanted, key) =>
      answerOnce(ports, key, async () => {
        requireMatch(wanted.selection, targets);
        const freeze = makeFreeze(wanted, await journal.freezes(), newId(), now());
        return put(freeze, key, [toEntry(freeze, "freeze.set", freeze)]);
      }),
    freezes: async () => (await journal.freezes()).map(view),
    endFreeze: (freezeId, origin, key) =>
      answerOnce(ports, key, async () => {
        const found = (await journal.freezes()).find(({ id }) => id === freezeId);
        if (!found) return undefined;
        const ended = endFreeze(found, origin, now());
        if (ended === found) return key ? put(ended, key, []) : view(ended);
        const answer = await put(ended, key, [toEntry(ended, "freeze.end", origin)]);
        const frozen = targets.filter((target) => isFrozenBy(target, ended));
        await wakeReleased({ journal, freezes: known }, queues, frozen);
        return answer;
      }),
  };
}

function requireMatch(selection: FreezeInput["selection"], targets: readonly Target[]): void {
  if (Object.keys(selection).length === 0) return;
  const unknown = (selection.targets ?? []).filter((id) => !targets.some((one) => one.id === id));
  if (unknown.length > 0) {
    const shown = unknown.slice(0, maxShownIds).map((id) => `"${id}"`);
    const more = unknown.length > maxShownIds ? ` and ${unknown.length - maxShownIds} more` : "";
    throw new ConfigError(
      `Nothing was frozen, because these targets do not exist: ${shown.join(", ")}${more}`,
    );
  }
  if (!targets.some((target) => isFrozenBy(target, { selection }))) {
    throw new ConfigError("Nothing was frozen, because no target matches all filters");
  }
}

/** How many unknown ids a message shows. */
const maxShownIds = 10;

function findState(freeze: OperatorFreeze, now: Instant): FreezeView["state"] {
  if (hasEnded(freeze, now)) return "ended";
  return freeze.from > now ? "planned" : "in force";
}
