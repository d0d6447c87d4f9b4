import { boundEntry, type EntryInput } from "../../core/ledger/entry.ts";
import { findWakeTime } from "../../core/lifecycle/decide.ts";
import type { RunRecord } from "../../core/record/history.ts";
import { type TargetRecord } from "../../core/record/record.ts";
import { withoutSkip } from "../../core/record/rotation.ts";
import type { Target } from "../../core/target.ts";
import type { Instant } from "../../core/time.ts";
import type { Ports } from "../ports.ts";
import { readForCaller } from "./read-for-caller.ts";
import { findAnswer, rememberAnswer, type RequestKey } from "./request-key.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";

/** What a report means to the ledger, which knows the target and the time by itself. */
export type ReportEntry = Omit<EntryInput, "id" | "at" | "outcome" | "targets">;

/**
 * Accepts a caller's report about a target, even while a worker holds it. The report is durable when the function returns.
 * Nothing is written when `accept` returns the same record that it received.
 */
export async function report<Accepted extends { readonly record: TargetRecord }>(
  ports: ReportPorts,
  target: Target,
  accept: (record: TargetRecord, now: Instant) => Accepted,
): Promise<Accepted> {
  const { answer } = await reportOnce(ports, target, undefined, (before, now) => {
    const accepted = accept(before, now);
    return { record: accepted.record, answer: accepted };
  });
  return answer;
}

type ReportPorts = Pick<Ports, "journal" | "pause" | "randomBytes" | "newId">;

interface AcceptedReport<Answer> {
  readonly record: TargetRecord;
  readonly answer: Answer;
  /** Rows of the history that change with the record. */
  readonly runs?: readonly RunRecord[];
  /** What the report means to the ledger if it changes the record. */
  readonly entry?: ReportEntry;
}

/** An answer, and whether it was given before to the same request. */
export interface Reported<Answer> {
  readonly answer: Answer;
  readonly isRepeat: boolean;
}

/**
 * The same for a report of a caller, who may send it again with the same key: it takes effect once. The answer is plain JSON, because
 * the journal stores it with the key, even if nothing else changes. Throws KeyReusedError.
 */
export function reportOnce<Answer extends object>(
  ports: ReportPorts,
  target: Target,
  key: RequestKey | undefined,
  accept: (record: TargetRecord, now: Instant) => AcceptedReport<Answer>,
): Promise<Reported<Answer>> {
  return retryOnConflict(ports, async () => {
    const { journal, newId } = ports;
    const { found, before, now } = await readForCaller(journal, target);
    // After the record: an equal request that is written in between makes the commit fail.
    const known = await findAnswer<Answer>(journal, target.id, key);
    if (known) return { answer: known, isRepeat: true };
    const { record: accepted, answer, runs = [], entry } = accept(before, now);
    // The report may be a reason to check a postponed target now.
    const record = accepted === before ? before : withoutSkip(accepted);
    if (record !== before || key) {
      const about = { id: newId(), at: now, outcome: "accepted", targets: [target.id] } as const;
      const isNews = entry !== undefined && record !== before;
      await journal.commit({
        record,
        etag: found?.etag,
        wakeAt: findWakeTime(record, now),
        runs,
        entries: isNews ? [boundEntry({ ...entry, ...about })] : [],
        ...rememberAnswer(key, answer),
      });
    }
    return { answer, isRepeat: false };
  });
}
