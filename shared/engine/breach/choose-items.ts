import type { Breach, BreachItem } from "../../core/breach/breach.ts";
import { type Chooser, makeChooser } from "../../core/breach/choose-next.ts";
import { countCreates } from "../../core/breach/estimate.ts";
import { begin, leave } from "../../core/breach/judge.ts";
import type { Target } from "../../core/target.ts";
import type { Instant } from "../../core/time.ts";
import { toServerName } from "../fleet/turn.ts";
import type { Ports } from "../ports.ts";
import { perWindowOf } from "./per-window.ts";
import { isRemoved, notConfigured } from "./unknown-target.ts";

/** How many targets are read at a time, and how often, to find those whose server and vault have room. */
const pageSize = 250;
const maxPages = 4;

interface Choosing {
  readonly ports: Ports;
  readonly byId: ReadonlyMap<string, Target>;
}

/** The waiting items that change now: those that begin, in their order, and those that are left. */
export async function chooseItems(
  { ports, byId }: Choosing,
  breach: Breach,
  begun: readonly BreachItem[],
  now: Instant,
): Promise<readonly BreachItem[]> {
  if (breach.state === "stopping") return cancelItems(ports, breach, now);
  if (breach.state !== "running") return [];
  const chooser = makeChooser(begun, {
    now,
    perWindow: perWindowOf(ports),
    needsOf: ({ targetId }) => {
      const target = byId.get(targetId);
      return target && { server: toServerName(ports, target), creates: countCreates(target) };
    },
  });
  const change = changer(breach, { chooser, byId, now });
  const chosen: BreachItem[] = [];
  let after = 0;
  for (let pages = 0; pages < maxPages && chooser.hasRoom(); pages++) {
    const wanted = { states: ["waiting"], limit: pageSize, after } as const;
    const page = await ports.journal.breachItems(breach.id, wanted);
    chosen.push(...page.flatMap((item) => change(item) ?? []));
    if (page.length < pageSize) break;
    after = page.at(-1)?.place ?? after;
  }
  return chosen;
}

interface Changing {
  readonly chooser: Chooser;
  readonly byId: ReadonlyMap<string, Target>;
  readonly now: Instant;
}

/** Returns the item as it changes now, if it does. */
function changer(
  breach: Breach,
  { chooser, byId, now }: Changing,
): (item: BreachItem) => BreachItem | undefined {
  return (item) => {
    if (byId.has(item.targetId)) return chooser.take(item) ? begin(item, now) : undefined;
    return isRemoved(breach, now) ? leave(item, notConfigured, now) : undefined;
  };
}

async function cancelItems(
  { journal }: Ports,
  { id, cancelled }: Breach,
  now: Instant,
): Promise<readonly BreachItem[]> {
  const limit = pageSize * maxPages;
  const waiting = await journal.breachItems(id, { states: ["waiting"], limit });
  const why = `The breach was cancelled by ${cancelled?.by ?? "somebody"} before this target`;
  return waiting.map((item) => leave(item, why, now));
}
