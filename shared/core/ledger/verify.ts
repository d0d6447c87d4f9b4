import { type Followed, type Gap, takeLine } from "./follow-chain.ts";
import { type Line, parseLine } from "./lines.ts";
import type { LedgerProblem, LedgerReport, VerifyOptions } from "./report.ts";

/** Verifies the lines of an export. Reads them once, and keeps only how far they follow each other. */
export async function verifyLines(
  lines: AsyncIterable<string> | Iterable<string>,
  options: VerifyOptions = {},
): Promise<LedgerReport> {
  let state: Followed | undefined;
  let [number, problem]: [number, LedgerProblem | undefined] = [0, undefined];
  let gap: Gap | undefined;
  let later: Later = { hasMissing: false, hasFound: false };
  for await (const text of lines) {
    number++;
    if (text === "") continue;
    const line = parseLine(text);
    if (gap) {
      later = lookFor(gap, line, later);
      continue;
    }
    const step = takeLine(state, line, number, options);
    ({ gap, problem } = step);
    state = step.next ?? state;
    if (problem) break;
  }
  const found = problem ?? (gap ? explainGap(gap, later) : findMissing(state, options));
  return toReport(state, found);
}

/** Whether the missing entry of a gap, or the line in its place, comes later. */
interface Later {
  readonly hasMissing: boolean;
  readonly hasFound: boolean;
}

function lookFor({ missing, found }: Gap, line: Line | undefined, later: Later): Later {
  if (!line || line.type === "start") return later;
  const sequence = line.type === "entry" ? line.sequence : line.head.sequence;
  return {
    hasMissing: later.hasMissing || (line.type === "entry" && sequence === missing),
    hasFound: later.hasFound || (line.type === found.what && sequence === found.sequence),
  };
}

function explainGap(
  { line, missing, found: { sequence, what } }: Gap,
  { hasMissing, hasFound }: Later,
): LedgerProblem {
  const name = what === "entry" ? `entry ${sequence}` : `the head of entry ${sequence}`;
  if (hasMissing && hasFound) {
    const message = `A copy of ${name} comes before entry ${missing}.`;
    return { kind: "repeated", sequence, line, message };
  }
  if (hasMissing) {
    const message = `Entry ${missing} is not in its place: ${name} comes before it.`;
    return { kind: "reordered", sequence: missing, line, message };
  }
  const last = what === "entry" ? sequence - 1 : sequence;
  const which = last > missing ? `Entries ${missing} to ${last} were` : `Entry ${missing} was`;
  const message = `${which} removed: ${name} follows instead.`;
  return { kind: "removed", sequence: missing, line, message };
}

/** What the whole file lacks. */
function findMissing(
  state: Followed | undefined,
  options: VerifyOptions,
): LedgerProblem | undefined {
  if (!state) return { kind: "removed", sequence: 1, message: "The file is empty." };
  return findMissingEnd(state, options) ?? findMissingSignatures(state, options);
}

/** Anyone who computes the chain again removes the signatures, because others cannot be made without the key. */
function findMissingSignatures(
  { start, sequence: last, signatures }: Followed,
  { keys }: VerifyOptions,
): LedgerProblem | undefined {
  const first = start.sequence + 1;
  if (!keys || last < first || signatures.valid > 0) return undefined;
  const which = last > first ? `entries ${first} to ${last}` : `entry ${first}`;
  const message = `No head is signed, so the key proves nothing about ${which}: the signatures were removed, or the app has not signed yet.`;
  return { kind: "signature", sequence: first, message };
}

function findMissingEnd(state: Followed, { head }: VerifyOptions): LedgerProblem | undefined {
  const { sequence, segment, lastOfSegment } = state;
  const next = sequence + 1;
  if (sequence !== lastOfSegment) {
    const message = `The file ends after entry ${sequence}, in the middle of a segment: entries or the head of segment ${segment} were removed.`;
    return { kind: "tail", sequence: next, message };
  }
  if (!head || head.sequence <= sequence) return undefined;
  const which =
    head.sequence > next ? `Entries ${next} to ${head.sequence} were` : `Entry ${next} was`;
  const message = `${which} removed from the end: the given head names entry ${head.sequence}.`;
  return { kind: "tail", sequence: next, message };
}

function toReport(state: Followed | undefined, problem: LedgerProblem | undefined): LedgerReport {
  const found = problem && { problem };
  if (!state) {
    const nothing = { entries: 0, last: 0, unchecked: 0, head: "none" } as const;
    return { ...found, ...nothing, signatures: { valid: 0, through: 0 } };
  }
  const { start, sequence, signatures, unchecked, head } = state;
  const entries = sequence - start.sequence;
  return { ...found, start, entries, last: sequence, signatures, unchecked, head };
}
