import { LeaseLostError } from "../core/errors.ts";
import { findWakeTime } from "../core/lifecycle/decide.ts";
import {
  findCancelled,
  mergeConcurrent,
  withCallersFields,
} from "../core/record/merge-concurrent.ts";
import type { TargetRecord } from "../core/record/record.ts";
import type { Target } from "../core/target.ts";
import { type Instant, toInstant } from "../core/time.ts";
import type { Journal, JournalChange, Versioned } from "../stores/journal.ts";

/** What a worker starts from: the record, rescheduled to the configuration, and the etag of the stored record. */
export interface Opening {
  readonly record: TargetRecord;
  /** Absent when the target is not in the journal yet. */
  readonly etag: string | undefined;
}

/** What a write adds to the journal besides the record. */
export type News = Pick<JournalChange, "runs" | "entries" | "request">;

/** Access of one worker to the journal, for one target. */
export interface FencedJournal {
  /**
   * Writes the record unless another worker owns the target. Returns it merged with what callers without a claim requested or
   * reported meanwhile. The first write claims the target, if its record contains the claim. Throws LeaseLostError.
   */
  write(record: TargetRecord, news: News): Promise<TargetRecord>;
  /** Whether anything has been written. */
  hasClaim(): boolean;
  /** End of the claim as last written. */
  claimedUntil(): Instant | undefined;
}

/** How many races one write may lose. Each is lost to a caller's request, and anyone with a key may send many of them. */
const maxRaces = 20;

export function makeFencedJournal(
  journal: Journal,
  target: Target,
  owner: string,
  opening: Opening,
): FencedJournal {
  let { record: written, etag } = opening;
  let hasClaim = false;
  const now = () => toInstant(journal.now());

  async function mergeRemote(local: TargetRecord): Promise<TargetRecord> {
    const theirs = requireOwn(await journal.read(target.id), written, owner);
    etag = theirs.etag;
    const remote = theirs.record;
    const race = { base: written, local, remote };
    const cancelled = findCancelled(race);
    if (cancelled !== undefined) {
      throw new LeaseLostError(`rotation ${cancelled} of ${target.id} was cancelled meanwhile`);
    }
    const merged = mergeConcurrent(race, target, now());
    written = withCallersFields(written, remote);
    return merged;
  }

  return {
    hasClaim: () => hasClaim,
    claimedUntil: () => (hasClaim ? written.claim.until : undefined),
    async write(record, news) {
      let wanted = record;
      for (let races = 0; ; races++) {
        try {
          etag = await journal.commit({
            record: wanted,
            etag,
            wakeAt: findWakeTime(wanted, now()),
            ...news,
          });
          [written, hasClaim] = [wanted, true];
          return wanted;
        } catch (error) {
          if (!(error instanceof LeaseLostError) || !hasClaim || races >= maxRaces) throw error;
          wanted = await mergeRemote(wanted);
        }
      }
    },
  };
}

/** Returns the stored row if this worker still owns the target. Throws LeaseLostError. */
function requireOwn(found: Versioned | undefined, ours: TargetRecord, owner: string): Versioned {
  const claim = found?.record.claim;
  if (found && claim?.fence === ours.claim.fence && claim.owner === owner) return found;
  throw new LeaseLostError(`${ours.targetId} was claimed by another worker`);
}
