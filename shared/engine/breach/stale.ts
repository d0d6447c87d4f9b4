import type { Breach, BreachSelection } from "../../core/breach/breach.ts";
import type { Candidate } from "../../core/breach/candidate.ts";
import { describeChanges, makePreview } from "../../core/breach/preview.ts";
import { ConfigError } from "../../core/errors.ts";
import { toInstant } from "../../core/time.ts";
import type { Ports } from "../ports.ts";
import type { Refused } from "./change-breach.ts";
import { perWindowOf } from "./per-window.ts";

/** Why what the preview showed is not true any more; undefined when it still is. */
export async function findStale(
  ports: Ports,
  breach: Breach,
  select: (selection: BreachSelection) => Promise<readonly Candidate[]>,
): Promise<Refused | undefined> {
  const { journal } = ports;
  const selected = await select(breach.selection).catch(toNothing);
  const making = { id: breach.id, now: toInstant(journal.now()), perWindow: perWindowOf(ports) };
  const present = makePreview(breach, selected, making);
  if (present.breach.fingerprint === breach.fingerprint) return undefined;
  const before = await journal.breachItems(breach.id, { limit: Infinity });
  const changes = describeChanges(before, present.items) ?? "its targets have changed";
  return {
    refused: `The preview of breach ${breach.id} is stale: ${changes}. Make a new preview.`,
    isStale: true,
  };
}

/** A selection that no longer matches anything selects nothing now. */
function toNothing(error: unknown): readonly never[] {
  if (error instanceof ConfigError) return [];
  throw error;
}
