import {
  type Breach,
  type BreachItem,
  describeCounts,
  isActive,
} from "../../core/breach/breach.ts";
import { maxBegun } from "../../core/breach/choose-next.ts";
import { withWaits } from "../../core/breach/waits.ts";
import { splitIntoChunks } from "../../core/chunks.ts";
import { LeaseLostError } from "../../core/errors.ts";
import { toEvent } from "../../core/events.ts";
import type { Target } from "../../core/target.ts";
import { between, type Instant, minute, plus, second, toInstant } from "../../core/time.ts";
import { type BreachSession, type ItemChange, openBreachSession } from "./breach-session.ts";
import { chooseItems } from "./choose-items.ts";
import { lookAtItem } from "./look-at-item.ts";
import { type RequestingItems, requestItem } from "./request-item.ts";
import { sendNews } from "./send-news.ts";

/** Milliseconds until the next turn while rotations are under way; while all of them wait; while only a notifier is missing. */
const turnMs = 2 * second;
const waitingMs = 10 * second;
const newsMs = minute;

/** Milliseconds by which a message may be early. */
const earlyMs = second;

/** How many targets are read or written at the same time. */
const maxAtOnce = 16;

export interface Advancing extends RequestingItems {
  readonly byId: ReadonlyMap<string, Target>;
}

/**
 * Takes one turn at a breach: looks what became of the rotations that have begun, and begins the next ones. Everything is in the
 * journal, so any worker may take any turn, at any time, and a turn that ends in the middle does no harm:
 *
 * 1. The write that marks a target as begun precedes the request of its rotation, and no other worker can write with the same etag.
 * 2. A repeated request has the same key, so it leads to the same rotation.
 *
 * Returns the milliseconds until the next turn. Undefined when the breach needs none, or somebody else takes it.
 */
export async function advanceBreach(
  deps: Advancing,
  breachId: string,
): Promise<number | undefined> {
  const { journal } = deps.ports;
  const found = await journal.breach(breachId);
  if (!found || !isActive(found.breach)) return undefined;
  const now = toInstant(journal.now());
  const { nextAt = now } = found.breach;
  // Another message about this breach has led to a turn already, and that turn has sent the next one.
  if (between(now, nextAt) > earlyMs) return undefined;
  try {
    return await takeTurn(deps, openBreachSession(deps.ports, found), now);
  } catch (error) {
    // A person, or the turn of another worker, changed the breach. Both send a message.
    if (error instanceof LeaseLostError) return undefined;
    throw error;
  }
}

async function takeTurn(
  deps: Advancing,
  session: BreachSession,
  now: Instant,
): Promise<number | undefined> {
  const { ports } = deps;
  const before = session.breach();
  const begun = await ports.journal.breachItems(before.id, { states: ["begun"], limit: maxBegun });
  const seen = await forEach(begun, (item) => lookAtItem(deps, before, item));
  const open = seen.filter(({ state }) => state === "begun");
  const changed = await chooseItems(deps, before, open, now);
  const starting = changed.filter(({ state }) => state === "begun");
  const delay = findDelay(before, [...open, ...starting], changed);
  await session.write(
    [
      ...findChanges(begun, seen),
      ...changed.map((item): ItemChange => ({ from: "waiting", item })),
    ],
    (breach) => ({ ...withWaits(breach, open), nextAt: plus(now, delay) }),
  );
  const requested = await forEach(starting, (item) => requestItem(deps, before, item));
  if (requested.length > 0) {
    const begunNow = [...open, ...requested];
    await session.write(findChanges(starting, requested), (breach) => withWaits(breach, begunNow));
  }
  await sendAndWrite(deps, session);
  reportEnd(deps, before, session.breach());
  return isActive(session.breach()) ? delay : undefined;
}

/** Milliseconds until the next turn. */
function findDelay(
  { state, counts }: Breach,
  begun: readonly BreachItem[],
  changed: readonly BreachItem[],
): number {
  const isWorking = begun.some(({ waitsFor }) => waitsFor === undefined);
  const hasMore = state !== "paused" && counts.waiting > changed.length;
  if (isWorking || hasMore) return turnMs;
  return begun.length > 0 ? waitingMs : newsMs;
}

function findChanges(
  before: readonly BreachItem[],
  after: readonly BreachItem[],
): readonly ItemChange[] {
  return after.flatMap((item, index) => {
    const was = before[index];
    return was === undefined || was === item ? [] : [{ from: was.state, item }];
  });
}

async function sendAndWrite({ ports }: Advancing, session: BreachSession): Promise<void> {
  const breach = session.breach();
  const { outbox } = await sendNews(ports, breach);
  if (outbox.length === breach.outbox.length) return;
  await session.write([], (one) => ({ ...one, outbox }));
}

function reportEnd({ ports }: Advancing, before: Breach, after: Breach): void {
  if (after.state !== "ended" || before.state === "ended") return;
  const detail = `breach ${after.id}: ${describeCounts(after.counts)}`;
  ports.emit(toEvent({ type: "breach-ended", at: after.endedAt ?? after.at, detail }));
}

async function forEach<Item, Result>(
  items: readonly Item[],
  doOne: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const batch of splitIntoChunks(items, maxAtOnce)) {
    results.push(...(await Promise.all(batch.map(doOne))));
  }
  return results;
}
