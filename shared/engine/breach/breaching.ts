import {
  type BreachSelection,
  isOpen,
  type ItemState,
  type UnreadableBreach,
} from "../../core/breach/breach.ts";
import type { Candidate } from "../../core/breach/candidate.ts";
import { type BreachInput, makePreview } from "../../core/breach/preview.ts";
import { selectCandidates } from "../../core/breach/select.ts";
import {
  cancel,
  confirm,
  type Confirmation,
  pause,
  resume,
} from "../../core/breach/transitions.ts";
import {
  type BreachTargetView,
  type BreachView,
  viewBreach,
  viewItem,
} from "../../core/breach/views.ts";
import { ConfigError } from "../../core/errors.ts";
import type { EventType } from "../../core/events.ts";
import type { LedgerAction } from "../../core/ledger/actions.ts";
import type { Origin } from "../../core/record/justification.ts";
import type { Target } from "../../core/target.ts";
import { toInstant } from "../../core/time.ts";
import type { Queue } from "../../stores/queue.ts";
import { answerOnce, rememberAnswer, type RequestKey } from "../inbox/request-key.ts";
import type { Ports } from "../ports.ts";
import { type Page, type PageWanted, toPage } from "../queries/questions.ts";
import { readCandidates } from "./candidates.ts";
import { type ChangeBreach, makeBreachChanger, type Refused } from "./change-breach.ts";
import { perWindowOf } from "./per-window.ts";
import { findStale } from "./stale.ts";
import { createBreach } from "./write-breach.ts";

export interface BreachTargetsWanted extends PageWanted<number> {
  readonly states?: readonly ItemState[];
}

type Answered = BreachView | Refused | undefined;

/** Rotates many targets whose secrets somebody may have. Each function returns undefined when the breach does not exist. */
export interface Breaching {
  /** Says what a breach would do, and stores it. Nothing is rotated. Throws ConfigError. */
  previewBreach(input: BreachInput, key?: RequestKey): Promise<BreachView>;
  /** Lists breaches, newest first. `after` is the id of a breach. */
  breaches(wanted: PageWanted<string>): Promise<Page<BreachView | UnreadableBreach>>;
  breach(breachId: string): Promise<BreachView | undefined>;
  /** Lists the targets of a breach in their order. `after` is a place. */
  breachTargets(
    breachId: string,
    wanted: BreachTargetsWanted,
  ): Promise<Page<BreachTargetView> | undefined>;
  /** Starts the breach, durably. A repetition changes nothing. */
  confirmBreach(breachId: string, how: Confirmation, key?: RequestKey): Promise<Answered>;
  pauseBreach(breachId: string, origin: Origin, key?: RequestKey): Promise<Answered>;
  resumeBreach(breachId: string, origin: Origin, key?: RequestKey): Promise<Answered>;
  cancelBreach(breachId: string, origin: Origin, key?: RequestKey): Promise<Answered>;
}

/** How many breaches may be open at a time, previews included, among the newest ones. */
const maxOpen = 20;
const newest = 100;

/** Selects from the targets as they are now. */
export type Select = (selection: BreachSelection) => Promise<readonly Candidate[]>;

export function makeBreaching(
  ports: Ports,
  targets: readonly Target[],
  firstQueue: Queue,
): Breaching {
  const change = makeBreachChanger(ports, firstQueue);
  const select: Select = async (selection) =>
    selectCandidates(await readCandidates(ports, targets), selection);
  const once = makeOnce(ports);
  return {
    ...makeReaders(ports),
    previewBreach: (input, key) =>
      once(key, async () => {
        const now = toInstant(ports.journal.now());
        await requireFewOpen(ports);
        const selected = await select(input.selection);
        const making = { id: ports.newId(), now, perWindow: perWindowOf(ports) };
        const preview = makePreview(input, selected, making);
        await createBreach(ports, preview);
        return viewBreach(preview.breach, now);
      }),
    confirmBreach: (breachId, how, key) =>
      once(key, () =>
        change(
          breachId,
          { event: "breach-started", action: "breach.start", origin: how },
          async (breach, now) => {
            const confirmed = confirm(breach, how, now);
            if ("refused" in confirmed || confirmed.breach === breach) return confirmed;
            return (await findStale(ports, breach, select)) ?? confirmed;
          },
        ),
      ),
    ...makeSteering(change, once),
  };
}

type Once = <Answer extends object | undefined>(
  key: RequestKey | undefined,
  make: () => Promise<Answer>,
) => Promise<Answer>;

/**
 * Remembers the answer to a request with an idempotency key. The key is stored after the effect: if the process dies between the two, a
 * repeated request finds that the breach is in the wanted state already, or makes another preview, which does nothing.
 */
function makeOnce(ports: Ports): Once {
  return (key, make) =>
    answerOnce(ports, key, async () => {
      const answer = await make();
      const { request } = answer && !("refused" in answer) ? rememberAnswer(key, answer) : {};
      if (request) await ports.journal.keepRequest(request);
      return answer;
    });
}

function makeSteering(
  change: ChangeBreach,
  once: Once,
): Pick<Breaching, "pauseBreach" | "resumeBreach" | "cancelBreach"> {
  const steer =
    (event: EventType, action: LedgerAction, make: typeof pause): Breaching["pauseBreach"] =>
    (breachId, origin, key) =>
      once(key, () =>
        change(breachId, { event, action, origin }, (breach, now) => make(breach, origin, now)),
      );
  return {
    pauseBreach: steer("breach-paused", "breach.pause", pause),
    resumeBreach: steer("breach-resumed", "breach.resume", resume),
    cancelBreach: steer("breach-cancelled", "breach.cancel", cancel),
  };
}

/** Every preview is stored, so their number has a limit. */
async function requireFewOpen({ journal }: Ports): Promise<void> {
  const now = toInstant(journal.now());
  const known = await journal.breaches(newest);
  const open = known.filter((one) => one.state !== "unreadable" && isOpen(one, now));
  if (open.length < maxOpen) return;
  throw new ConfigError(
    `At most ${maxOpen} breaches may be open, previews included. Cancel one of them first`,
  );
}

function makeReaders({ journal }: Ports): Pick<Breaching, "breaches" | "breach" | "breachTargets"> {
  const now = () => toInstant(journal.now());
  return {
    async breaches({ limit, after }) {
      const page = toPage(await journal.breaches(limit + 1, after), limit);
      const items = page.items.map((one) =>
        one.state === "unreadable" ? one : viewBreach(one, now()),
      );
      return { ...page, items };
    },
    async breach(breachId) {
      const found = await journal.breach(breachId);
      return found && viewBreach(found.breach, now());
    },
    async breachTargets(breachId, { limit, after, states }) {
      if (!(await journal.breach(breachId))) return undefined;
      const wanted = {
        limit: limit + 1,
        ...(after !== undefined && { after }),
        ...(states && { states }),
      };
      const page = toPage(await journal.breachItems(breachId, wanted), limit);
      return { ...page, items: page.items.map(viewItem) };
    },
  };
}
