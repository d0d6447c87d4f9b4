import { toCanonicalJson } from "../canonical.ts";
import { isObject, parseJson } from "../json.ts";
import type { AnchoredHead, ChainedEntry, ChainStart, Head, Segment, Signature } from "./chain.ts";

/** One line of an export. Only the canonical form counts, so that a changed space or a name given twice is a change. */
export type Line =
  | { readonly type: "start"; readonly start: ChainStart }
  | ({ readonly type: "entry" } & Omit<ChainedEntry, "entry"> & { readonly entry: object })
  | { readonly type: "head"; readonly head: Head; readonly signature?: Signature };

/** Where the segments that follow continue the chain. */
export function toStartLine({ segment, sequence, hash }: ChainStart): string {
  return toCanonicalJson({ type: "start", start: { segment, sequence, hash } });
}

/** The entries of the segment, then its head. */
export function toLines({ entries, head }: Segment): string[] {
  return [
    ...entries.map(({ sequence, previous, entry, hash }) =>
      toCanonicalJson({ type: "entry", sequence, previous, entry, hash }),
    ),
    toHeadLine(head),
  ];
}

function toHeadLine(anchored: AnchoredHead): string {
  const { segment, first, sequence, hash, at, signature } = anchored;
  return toCanonicalJson({
    type: "head",
    head: { segment, first, sequence, hash, at },
    ...pickSignature(signature),
  });
}

/** The line, or undefined for a text that no export contains. */
export function parseLine(text: string): Line | undefined {
  const line = readLine(parseJson(text));
  return line && writeLine(line) === text ? line : undefined;
}

function writeLine(line: Line): string {
  if (line.type === "start") return toStartLine(line.start);
  if (line.type === "head") return toHeadLine({ ...line.head, ...pickSignature(line.signature) });
  return toCanonicalJson(line);
}

function readLine(value: unknown): Line | undefined {
  if (!isObject(value)) return undefined;
  const { type } = value;
  if (type === "start") return readStart(value["start"]);
  if (type === "entry") return readEntry(value);
  const head = type === "head" ? parseHead(value["head"]) : undefined;
  return head && { type: "head", head, ...pickSignature(parseSignature(value["signature"])) };
}

function readStart(value: unknown): Line | undefined {
  if (!isObject(value)) return undefined;
  const { segment, sequence, hash } = value;
  if (!isCount(segment) || !isCount(sequence) || !isHash(hash)) return undefined;
  return { type: "start", start: { segment, sequence, hash } };
}

function readEntry(value: Readonly<Record<string, unknown>>): Line | undefined {
  const { sequence, previous, entry, hash } = value;
  if (!isCount(sequence) || !isHash(previous) || !isHash(hash) || !isObject(entry)) {
    return undefined;
  }
  return { type: "entry", sequence, previous, entry, hash };
}

function pickSignature(signature: Signature | undefined): { readonly signature?: Signature } {
  return signature ? { signature: { key: signature.key, value: signature.value } } : {};
}

/** A head alone, as `parseHead` reads it. */
export function writeHead({ segment, first, sequence, hash, at }: Head): string {
  return toCanonicalJson({ segment, first, sequence, hash, at });
}

/** A head from an export, an event or a person's file. Undefined for anything else. */
export function parseHead(value: unknown): Head | undefined {
  if (!isObject(value)) return undefined;
  const { segment, first, sequence, hash, at } = value;
  if (!isCount(segment) || !isCount(first) || !isCount(sequence) || !isHash(hash)) return undefined;
  return typeof at === "string" ? { segment, first, sequence, hash, at } : undefined;
}

function parseSignature(value: unknown): Signature | undefined {
  if (!isObject(value)) return undefined;
  const { key, value: signed } = value;
  if (typeof key !== "string" || typeof signed !== "string") return undefined;
  return { key, value: signed };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

export function isHash(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}
