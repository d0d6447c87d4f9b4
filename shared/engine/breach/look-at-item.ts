import type { Breach, BreachItem } from "../../core/breach/breach.ts";
import { type ItemFacts, judge } from "../../core/breach/judge.ts";
import { toInstant } from "../../core/time.ts";
import { UnreadableRowError } from "../../stores/journal.ts";
import { type RequestingItems, requestItem } from "./request-item.ts";

/** Learns from the journal what became of a rotation that has begun, or requests it if an earlier worker could not. */
export async function lookAtItem(
  deps: RequestingItems,
  breach: Breach,
  before: BreachItem,
): Promise<BreachItem> {
  const item = before.rotationId === undefined ? await requestItem(deps, breach, before) : before;
  if (item.state !== "begun" || item.rotationId === undefined) return item;
  const facts = await readFacts(deps, item.targetId, item.rotationId);
  return judge(item, facts, breach, toInstant(deps.ports.journal.now()));
}

async function readFacts(
  { ports: { journal }, find }: RequestingItems,
  targetId: string,
  rotationId: string,
): Promise<ItemFacts> {
  const target = await find(targetId);
  try {
    const [run, found] = await Promise.all([
      journal.run(targetId, rotationId),
      journal.read(targetId),
    ]);
    return { run, record: found?.record, target };
  } catch (error) {
    if (!(error instanceof UnreadableRowError)) throw error;
    return { run: undefined, record: undefined, target, unreadable: error.message };
  }
}
