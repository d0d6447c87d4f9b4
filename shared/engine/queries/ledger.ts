import {
  type AnchoredHead,
  type ChainStart,
  type Segment,
  startAfter,
} from "../../core/ledger/chain.ts";
import {
  isWantedEntry,
  type LedgerFilter,
  type LedgerView,
  viewEntry,
} from "../../core/ledger/filter.ts";
import { toLines, toStartLine } from "../../core/ledger/lines.ts";
import type { Instant } from "../../core/time.ts";
import type { Journal } from "../../stores/journal.ts";
import { sealLedger } from "../ledger/seal.ts";

/** A place in the ledger: everything before it is still to come. */
export interface LedgerPlace {
  readonly segment: number;
  readonly sequence: number;
}

export interface LedgerWanted {
  readonly limit: number;
  readonly before?: LedgerPlace;
  readonly filter?: LedgerFilter;
}

/** A page may have fewer entries than wanted although more follow: a filter reads only so much at a time. */
export interface LedgerPage {
  readonly entries: readonly LedgerView[];
  readonly next?: LedgerPlace;
}

/** Whole segments as lines, in the order of the chain. */
export interface LedgerExport {
  readonly lines: readonly string[];
  /** The segment with which the next part begins. */
  readonly next?: number;
}

export interface ExportWanted {
  /** The first segment. Absent: the first that is stored. */
  readonly from?: number;
  /** From the segment that was being filled at this moment. */
  readonly since?: Instant;
  /** To the segment that was being filled at this moment. */
  readonly until?: Instant;
}

/** Answers from the ledger, which seal first what waits. */
export interface LedgerQuestions {
  /** Lists entries, newest first. */
  ledger(wanted: LedgerWanted): Promise<LedgerPage>;
  /** Exports the chain so that it can be verified elsewhere. */
  exportLedger(wanted: ExportWanted): Promise<LedgerExport>;
  /** The newest head. Undefined while there is no entry. */
  ledgerHead(): Promise<AnchoredHead | undefined>;
}

/** How many segments one query reads. */
const window = 10;

/** The most queries of one page, or of one part of an export. */
const maxWindows = 5;

export function makeLedgerQuestions(journal: Pick<Journal, "ledger" | "now">): LedgerQuestions {
  const { ledger } = journal;
  return {
    async ledger(wanted) {
      // A later page has only entries that were sealed for an earlier one.
      if (!wanted.before) await sealLedger(journal);
      const [latest, start] = await Promise.all([ledger.latest(), ledger.start()]);
      return latest ? listNewestFirst(journal, wanted, start, latest) : { entries: [] };
    },
    async exportLedger(wanted) {
      await sealLedger(journal);
      const [latest, start] = await Promise.all([ledger.latest(), ledger.start()]);
      if (!latest) return { lines: [toStartLine(start)] };
      return exportFrom(journal, wanted, start, latest);
    },
    async ledgerHead() {
      await sealLedger(journal);
      const latest = await ledger.latest();
      if (!latest) return undefined;
      const { isCleared: _, ...head } = latest;
      return head;
    },
  };
}

async function listNewestFirst(
  journal: Pick<Journal, "ledger">,
  { limit, before, filter = {} }: LedgerWanted,
  start: ChainStart,
  latest: AnchoredHead,
): Promise<LedgerPage> {
  const entries: LedgerView[] = [];
  let to = Math.min(before?.segment ?? latest.segment, latest.segment);
  let place = before;
  for (let windows = 0; windows < maxWindows && to >= start.segment; windows++) {
    const from = Math.max(start.segment, to - window + 1);
    const segments = await journal.ledger.segments(from, to);
    const recent = segments.filter(({ head }) => isSealedSince(head, filter)).toReversed();
    for (const one of listBefore(recent, before)) {
      place = one.place;
      if (isWantedEntry(one.chained.entry, filter)) entries.push(viewEntry(one.chained));
      if (entries.length === limit) return { entries, ...continueAt(place, start) };
    }
    if (recent.length < segments.length) return { entries };
    to = from - 1;
  }
  return { entries, ...(to >= start.segment && place && continueAt(place, start)) };
}

/** A segment contains nothing that is later than its seal. */
function isSealedSince({ at }: AnchoredHead, { since }: LedgerFilter): boolean {
  return since === undefined || at >= since;
}

/** The entries of the segments, newest first, without those that an earlier page had. */
function listBefore(segments: readonly Segment[], before: LedgerPlace | undefined) {
  return segments.flatMap(({ head: { segment }, entries }) =>
    entries
      .filter(({ sequence }) => before?.segment !== segment || sequence < before.sequence)
      .toReversed()
      .map((chained) => ({ place: { segment, sequence: chained.sequence }, chained })),
  );
}

function continueAt(place: LedgerPlace, start: ChainStart): { readonly next?: LedgerPlace } {
  return place.sequence <= start.sequence + 1 ? {} : { next: place };
}

async function exportFrom(
  { ledger }: Pick<Journal, "ledger">,
  { from, since, until }: ExportWanted,
  start: ChainStart,
  latest: AnchoredHead,
): Promise<LedgerExport> {
  const wanted = from ?? (since === undefined ? start.segment : await find(since));
  const first = Math.max(wanted, start.segment);
  const lines = [toStartLine(await findStart(ledger, first, start))];
  let next = first;
  for (let windows = 0; windows < maxWindows && next <= latest.segment; windows++) {
    const to = Math.min(next + window - 1, latest.segment);
    for (const segment of await ledger.segments(next, to)) {
      lines.push(...toLines(segment));
      if (until !== undefined && segment.head.at >= until) return { lines };
    }
    next = to + 1;
  }
  return { lines, ...(next <= latest.segment && { next }) };

  /** The first segment that was sealed at this moment or later. */
  async function find(moment: Instant): Promise<number> {
    let [low, high] = [start.segment, latest.segment];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [found] = await ledger.segments(middle, middle);
      if (found && found.head.at < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

async function findStart(
  ledger: Journal["ledger"],
  segment: number,
  start: ChainStart,
): Promise<ChainStart> {
  if (segment === start.segment) return start;
  const [before]: (Segment | undefined)[] = await ledger.segments(segment - 1, segment - 1);
  return before ? startAfter(before.head) : start;
}
