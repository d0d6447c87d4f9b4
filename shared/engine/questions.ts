import type { Target } from "../core/target.ts";
import { toInstant } from "../core/time.ts";
import {
  type ExplainedView,
  explainTarget,
  explainUnreadable,
  type HistoryView,
  type RunView,
  type TargetView,
  viewHistory,
  viewRun,
  viewTarget,
} from "../core/views.ts";
import { type Alarm, JournalUnavailableError, UnreadableRowError } from "../stores/journal.ts";
import { type Edited, planEdit, planOf, type PlanWanted } from "./plan.ts";
import type { Ports } from "./ports.ts";

/** What can be asked without changing anything. `undefined` means: no such thing. */
export interface Questions {
  targets(): Promise<TargetView[]>;
  target(targetId: string): Promise<ExplainedView | undefined>;
  /** Every rotation to come, as text in the format that is wanted. */
  plan(wanted: PlanWanted): Promise<string>;
  /** What an edited configuration would change of the plan, as text in the format that is wanted. */
  planEdit(edited: Edited, wanted: PlanWanted): Promise<string>;
  /** The history, newest first. */
  rotations(targetId: string, limit: number): Promise<HistoryView[] | undefined>;
  rotation(targetId: string, rotationId: string): Promise<RunView | undefined>;
  alarms(limit: number): Promise<Alarm[]>;
  /** Whether the journal can be asked. */
  isHealthy(): Promise<boolean>;
}

export function questions(
  ports: Pick<Ports, "journal" | "rotator" | "clock">,
  byId: ReadonlyMap<string, Target>,
): Questions {
  const { journal, clock } = ports;
  return {
    async targets() {
      const listing = await journal.targets();
      const records = new Map(listing.records.map((one) => [one.targetId, one]));
      const unreadable = new Map(listing.unreadable.map(({ id, why }) => [id, why]));
      return [...byId.values()].map((target) =>
        viewTarget(target, records.get(target.id), unreadable.get(target.id)),
      );
    },
    async target(targetId) {
      const target = byId.get(targetId);
      if (!target) return undefined;
      try {
        const found = await journal.read(targetId);
        return explainTarget(target, found?.record, toInstant(clock()));
      } catch (error) {
        if (error instanceof UnreadableRowError) return explainUnreadable(target, error.message);
        throw error;
      }
    },
    plan: (wanted) => planOf(ports, [...byId.values()], wanted),
    planEdit: (edited, wanted) => planEdit(ports, [...byId.values()], edited, wanted),
    async rotations(targetId, limit) {
      if (!byId.has(targetId)) return undefined;
      return (await journal.runs(targetId, limit)).map(viewHistory);
    },
    async rotation(targetId, rotationId) {
      if (!byId.has(targetId)) return undefined;
      const run = await journal.run(targetId, rotationId);
      return run && viewRun(run);
    },
    alarms: (limit) => journal.alarms(limit),
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
