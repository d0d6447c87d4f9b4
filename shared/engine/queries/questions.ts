import {
  explainState,
  explainUnreadableState,
  type Explanation,
} from "../../core/explanation/explanation.ts";
import { type HistoryRow, isFinal, type RunRecord } from "../../core/record/history.ts";
import { findQueued } from "../../core/record/queued.ts";
import type { TargetRecord } from "../../core/record/record.ts";
import { requireMatch } from "../../core/simulation/scope.ts";
import type { Target } from "../../core/target.ts";
import { isInState, isWanted, type TargetFilter } from "../../core/target-filter.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import {
  type ExplainedView,
  explainTarget,
  explainUnreadable,
  type HistoryView,
  type RunView,
  type TargetView,
  viewPause,
  viewRun,
  viewTarget,
  viewWaiting,
} from "../../core/views.ts";
import {
  type Alarm,
  type AlarmKey,
  JournalUnavailableError,
  UnreadableRowError,
} from "../../stores/journal.ts";
import { freezeTargets, makeFindTarget } from "../fleet/frozen-targets.ts";
import type { Ports } from "../ports.ts";
import { type Edited, makePlan, planEdit, type PlanOptions } from "./plan.ts";

/** The requested part of a list: at most `limit` entries after the entry `after`. */
export interface PageWanted<After> {
  readonly limit: number;
  readonly after?: After;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
}

export interface TargetsWanted extends Partial<PageWanted<string>> {
  readonly filter?: TargetFilter;
}

/** Read-only queries. They return undefined when the object does not exist. */
export interface Questions {
  /** Lists targets in the order of the configuration; without a limit, all. Returns undefined when `after` is not configured. */
  targets(wanted?: TargetsWanted): Promise<Page<TargetView> | undefined>;
  target(targetId: string): Promise<ExplainedView | undefined>;
  /** Explains the state of the target: why, what happens next, and what a person can do. */
  explanation(targetId: string): Promise<Explanation | undefined>;
  /** Lists every future rotation, as text in the requested format. Rejects with ConfigError when no target matches. */
  plan(wanted: PlanOptions): Promise<string>;
  /** Shows what an edited configuration would change in the plan, as text in the requested format. */
  planEdit(edited: Edited, wanted: PlanOptions): Promise<string>;
  /** Lists the history, newest first. `after` is the id of a rotation. */
  rotations(targetId: string, wanted: PageWanted<string>): Promise<Page<HistoryView> | undefined>;
  rotation(targetId: string, rotationId: string): Promise<RunView | undefined>;
  /** Lists alarms, newest first. */
  alarms(wanted: PageWanted<AlarmKey>): Promise<Page<Alarm>>;
  /** Whether the journal can be read. */
  isHealthy(): Promise<boolean>;
}

type QuestionPorts = Pick<Ports, "journal" | "rotator" | "freezes">;

export function makeQuestions(ports: QuestionPorts, byId: ReadonlyMap<string, Target>): Questions {
  const { journal } = ports;
  const all = [...byId.values()];
  const find = makeFindTarget(ports, byId);
  const about = async <Answer>(targetId: string, answers: Answers<Answer>) => {
    const target = await find(targetId);
    return target && (await fromRecord(ports, target, answers));
  };
  return {
    targets: (wanted = {}) => listTargets(ports, all, wanted),
    target: (targetId) => about(targetId, targetAnswers),
    explanation: (targetId) => about(targetId, explanationAnswers),
    async plan(wanted) {
      requireMatch(wanted, all);
      return makePlan(ports, await freezeTargets(ports, all), wanted);
    },
    async planEdit(edited, wanted) {
      requireMatch(wanted, all, edited.targets);
      const frozen = { ...edited, targets: await freezeTargets(ports, edited.targets) };
      return planEdit(ports, await freezeTargets(ports, all), frozen, wanted);
    },
    async rotations(targetId, { limit, after }) {
      const target = await find(targetId);
      if (!target) return undefined;
      const { items, hasMore } = toPage(await journal.runs(targetId, limit + 1, after), limit);
      const record = items.every(isEnded) ? undefined : await readIfReadable(ports, targetId);
      const views = items.map((row) =>
        row.state === "unreadable" ? row : viewNow(ports, target, row, record),
      );
      return { items: views, hasMore };
    },
    async rotation(targetId, rotationId) {
      const target = await find(targetId);
      const run = target && (await journal.run(targetId, rotationId));
      if (!run) return undefined;
      const record = isEnded(run) ? undefined : await readIfReadable(ports, targetId);
      return viewNow(ports, target, run, record);
    },
    async alarms({ limit, after }) {
      return toPage(await journal.alarms(limit + 1, after), limit);
    },
    async isHealthy() {
      try {
        await journal.alarms(1);
        return true;
      } catch (error) {
        if (error instanceof JournalUnavailableError) return false;
        throw error;
      }
    },
  };
}

/** `found` contains one entry more than the limit when further entries exist. */
export function toPage<Item>(found: readonly Item[], limit: number): Page<Item> {
  return { items: found.slice(0, limit), hasMore: found.length > limit };
}

export async function listTargets(
  ports: Pick<Ports, "journal" | "freezes">,
  configured: readonly Target[],
  { limit = Infinity, after, filter = {} }: TargetsWanted,
): Promise<Page<TargetView> | undefined> {
  const { journal } = ports;
  const all = await freezeTargets(ports, configured);
  const index = all.findIndex(({ id }) => id === after);
  if (after !== undefined && index < 0) return undefined;
  const listing = await journal.targets();
  const records = new Map(listing.records.map((one) => [one.targetId, one]));
  const unreadable = new Map(listing.unreadable.map(({ id, why }) => [id, why]));
  const now = toInstant(journal.now());
  const found: TargetView[] = [];
  for (const target of all.slice(index + 1)) {
    if (found.length > limit) break;
    if (!isWanted(target, filter)) continue;
    const record = records.get(target.id);
    const view = {
      ...viewTarget(target, record, unreadable.get(target.id)),
      ...viewPause(record, target, now),
    };
    if (!isInState(view, filter, now)) continue;
    found.push({
      ...view,
      ...viewWaiting(record, record && findQueued(record)?.rotationId, target, now),
    });
  }
  return toPage(found, limit);
}

interface Answers<Answer> {
  readonly readable: (target: Target, record: TargetRecord | undefined, now: Instant) => Answer;
  readonly unreadable: (target: Target, why: string) => Answer;
}

const targetAnswers = { readable: explainTarget, unreadable: explainUnreadable };
const explanationAnswers = { readable: explainState, unreadable: explainUnreadableState };

/** Makes an answer about the target, also if its journal row cannot be read. */
async function fromRecord<Answer>(
  { journal }: QuestionPorts,
  target: Target,
  { readable, unreadable }: Answers<Answer>,
): Promise<Answer> {
  try {
    const found = await journal.read(target.id);
    return readable(target, found?.record, toInstant(journal.now()));
  } catch (error) {
    if (error instanceof UnreadableRowError) return unreadable(target, error.message);
    throw error;
  }
}

async function readIfReadable(
  { journal }: QuestionPorts,
  targetId: string,
): Promise<TargetRecord | undefined> {
  try {
    return (await journal.read(targetId))?.record;
  } catch (error) {
    if (error instanceof UnreadableRowError) return undefined;
    throw error;
  }
}

const isEnded = ({ state }: HistoryRow) => state === "unreadable" || isFinal(state);

/** Adds, to a rotation that has not ended, what it waits for. */
function viewNow(
  { journal }: QuestionPorts,
  target: Target,
  run: RunRecord,
  record: TargetRecord | undefined,
): RunView {
  const now = toInstant(journal.now());
  return { ...viewRun(run), ...viewWaiting(record, run.rotationId, target, now) };
}
