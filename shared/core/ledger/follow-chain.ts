import { type KeyObject, verify as verifySignature } from "node:crypto";
import { type ChainStart, hashLink, type Head, type Signature, toSignedText } from "./chain.ts";
import type { Line } from "./lines.ts";
import type { LedgerProblem, LedgerReport, VerifyOptions } from "./report.ts";

/** How far the lines of an export follow each other: the entry before the next line, and its segment. */
export interface Followed {
  readonly start: ChainStart;
  readonly segment: number;
  readonly sequence: number;
  readonly hash: string;
  /** The last entry of the segment before. */
  readonly lastOfSegment: number;
  readonly signatures: LedgerReport["signatures"];
  readonly unchecked: number;
  /** How the given head compares so far. */
  readonly head: LedgerReport["head"];
}

/** An entry is not in its place. What follows shows whether it is missing or comes later. */
export interface Gap {
  readonly line: number;
  /** The number of the entry that should follow. */
  readonly missing: number;
  /** The line that follows instead: an entry, or the head of a segment. */
  readonly found: { readonly sequence: number; readonly what: "entry" | "head" };
}

/** The state after one more line, or what is wrong with it. */
export interface Step {
  readonly next?: Followed;
  readonly problem?: LedgerProblem;
  readonly gap?: Gap;
}

export function takeLine(
  state: Followed | undefined,
  line: Line | undefined,
  number: number,
  options: VerifyOptions,
): Step {
  return state ? followChain(state, line, number, options) : beginChain(line, number, options);
}

/** The first line of an export. */
function beginChain(line: Line | undefined, number: number, { head }: VerifyOptions): Step {
  if (line?.type !== "start") {
    const message =
      "The first line does not say where the export begins. Use the file as `keyturn audit --export` wrote it.";
    return { problem: { kind: "removed", sequence: 1, line: number, message } };
  }
  const { start } = line;
  const next: Followed = {
    ...{ start, ...start, lastOfSegment: start.sequence, unchecked: 0 },
    signatures: { valid: 0, through: 0 },
    head: head && head.sequence < start.sequence ? "earlier" : "none",
  };
  return compare(next, head);
}

/** Each further line. */
function followChain(
  state: Followed,
  line: Line | undefined,
  number: number,
  options: VerifyOptions,
): Step {
  if (!line) {
    const sequence = state.sequence + 1;
    const message = `Line ${number} is not as the export wrote it: entry ${sequence}, or the head of a segment before it, was altered.`;
    return { problem: { kind: "altered", sequence, line: number, message } };
  }
  if (line.type === "entry") return addEntry(state, line, number, options);
  if (line.type === "head") return addHead(state, line, number, options);
  return addPart(state, line.start, number);
}

function addEntry(
  state: Followed,
  line: Line & { readonly type: "entry" },
  number: number,
  { head }: VerifyOptions,
): Step {
  const { sequence } = state;
  const next = sequence + 1;
  if (hashLink(line) !== line.hash) {
    return altered(next, number, "its content does not match its hash");
  }
  if (line.sequence > next) return gapAt(number, next, line.sequence, "entry");
  if (line.sequence < next) return repeated(`Entry ${line.sequence}`, line.sequence, number);
  if (line.previous !== state.hash) {
    // An earlier segment ended with the entry before: its head matches, so this entry is the wrong one.
    return sequence === state.lastOfSegment
      ? altered(next, number, `it does not follow entry ${sequence}`)
      : altered(sequence, number, `entry ${next} does not follow it`);
  }
  return compare({ ...state, sequence: next, hash: line.hash }, head);
}

function addHead(
  state: Followed,
  { head, signature }: Line & { readonly type: "head" },
  number: number,
  options: VerifyOptions,
): Step {
  const { segment, sequence, lastOfSegment } = state;
  const what = `The head of segment ${head.segment}`;
  if (head.segment < segment) return repeated(what, head.sequence, number);
  if (head.segment > segment && head.sequence <= sequence) {
    const message = `The head of segment ${segment} was removed.`;
    return { problem: { kind: "removed", sequence, line: number, message } };
  }
  if (head.sequence > sequence) return gapAt(number, sequence + 1, head.sequence, "head");
  if (head.sequence < sequence) {
    const first = head.sequence + 1;
    const message = `${what} is not in its place: entry ${first} comes before it.`;
    return { problem: { kind: "reordered", sequence: first, line: number, message } };
  }
  if (head.hash !== state.hash || head.first !== lastOfSegment + 1) {
    const message = `Entry ${sequence} or the head of segment ${segment} was altered: they do not match.`;
    return { problem: { kind: "altered", sequence, line: number, message } };
  }
  const ended = { ...state, segment: segment + 1, lastOfSegment: sequence };
  return signature ? checkSignature(ended, { head, signature, number }, options) : { next: ended };
}

interface Signed {
  readonly head: Head;
  readonly signature: Signature;
  readonly number: number;
}

function checkSignature(
  state: Followed,
  { head, signature, number }: Signed,
  { keys }: VerifyOptions,
): Step {
  const { start, signatures, unchecked } = state;
  if (!keys) return { next: { ...state, unchecked: unchecked + 1 } };
  if (keys.some((key) => isSigned(head, signature, key))) {
    const proven = { valid: signatures.valid + 1, through: head.sequence };
    return { next: { ...state, signatures: proven } };
  }
  const sequence = Math.max(signatures.through, start.sequence) + 1;
  const message =
    `The signature of the head of segment ${head.segment} is not valid for the given key: ` +
    `an entry from ${sequence} to ${head.sequence} was altered after it was sealed, or another key signed (${signature.key}).`;
  return { problem: { kind: "signature", sequence, line: number, message } };
}

/** Joined exports: each part says where it continues. */
function addPart(state: Followed, start: ChainStart, number: number): Step {
  const { segment, sequence, hash } = state;
  const isNext = start.segment === segment && start.sequence === sequence && start.hash === hash;
  if (isNext) return { next: state };
  const first = start.sequence + 1;
  if (start.sequence > sequence) return gapAt(number, sequence + 1, first, "entry");
  return repeated(`The part from entry ${first}`, first, number);
}

/** Compares with the head that an auditor gave, when the chain has come to its entry. */
function compare(next: Followed, head: VerifyOptions["head"]): Step {
  const { sequence, hash } = next;
  if (head?.sequence !== sequence) return { next };
  if (head.hash === hash) return { next: { ...next, head: "matches" } };
  const message = `Entry ${sequence} or an entry before it was altered: the hash differs from the given head.`;
  return {
    problem: { kind: "altered", sequence, message },
    next: { ...next, head: "differs" },
  };
}

function isSigned(head: Head, signature: Signature, key: KeyObject): boolean {
  try {
    return verifySignature(
      "sha256",
      Buffer.from(toSignedText(head)),
      { key, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature.value, "base64url"),
    );
  } catch {
    // Not a key for signatures.
    return false;
  }
}

function gapAt(line: number, missing: number, sequence: number, what: Gap["found"]["what"]): Step {
  return { gap: { line, missing, found: { sequence, what } } };
}

function altered(sequence: number, line: number, why: string): Step {
  const message = `Entry ${sequence} was altered: ${why}.`;
  return { problem: { kind: "altered", sequence, line, message } };
}

function repeated(what: string, sequence: number, line: number): Step {
  return { problem: { kind: "repeated", sequence, line, message: `${what} is repeated.` } };
}
