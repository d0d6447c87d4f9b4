import { requireMatch } from "../core/simulation/scope.ts";
import type { Target } from "../core/target.ts";
import { toInstant } from "../core/time.ts";
import {
  type ExplainedView,
  explainTarget,
  type RunView,
  type TargetView,
  viewRun,
  viewTarget,
} from "../core/views.ts";
import { type Alarm, JournalUnavailableError } from "../stores/journal.ts";
import { type Edited, planEdit, planOf, type PlanWanted } from "./plan.ts";
import type { Ports } from "./ports.ts";

/** What can be asked without changing anything. `undefined` means: no such thing. */
export interface Questions {
  targets(): Promise<TargetView[]>;
  target(targetId: string): Promise<ExplainedView | undefined>;
  /** Every rotation to come, as text in the format that is wanted. Rejects with ConfigError when no target is wanted. */
  plan(wanted: PlanWanted): Promise<string>;
  /** What an edited configuration would change of the plan, as text in the format that is wanted. */
  planEdit(edited: Edited, wanted: PlanWanted): Promise<string>;
  /** The history, newest first. */
  rotations(targetId: string, limit: number): Promise<RunView[] | undefined>;
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
      return [...byId.values()].map((target) =>
        viewTarget(target, records.get(target.id), !listing.unreadable.includes(target.id)),
      );
    },
    async target(targetId) {
      const target = byId.get(targetId);
      if (!target) return undefined;
      const found = await journal.read(targetId);
      return explainTarget(target, found?.record, toInstant(clock()));
    },
    async plan(wanted) {
      const targets = [...byId.values()];
      requireMatch(wanted, targets);
      return planOf(ports, targets, wanted);
    },
    async planEdit(edited, wanted) {
      const targets = [...byId.values()];
      requireMatch(wanted, targets, edited.targets);
      return planEdit(ports, targets, edited, wanted);
    },
    async rotations(targetId, limit) {
      if (!byId.has(targetId)) return undefined;
      return (await journal.runs(targetId, limit)).map(viewRun);
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
