import { isAlias, isMap, isNode, isScalar, isSeq } from "yaml";
import type { Document, LineCounter, Node } from "yaml";
import type { Path } from "./problems.ts";

export interface Position {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

interface Place {
  readonly key?: unknown;
  readonly value: unknown;
}

/** The name of a key, or undefined for a key that is no plain text, such as a list. */
export function keyName(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  if (typeof key.value === "string") return key.value;
  // 0x10 and 1e3 would be read as another name than the one that is written.
  return key.source === String(key.value) ? key.source : undefined;
}

/** Where the value at `path` stands, or what comes nearest when there is none. */
export function positionOf(
  document: Document,
  lines: LineCounter,
  path: Path,
  atKey: boolean,
): Position {
  let here: Place = { value: document.contents };
  let complete = true;
  for (const step of path) {
    const next = enter(document, here.value, step);
    if (next === undefined) {
      complete = false;
      break;
    }
    here = next;
  }
  const points = complete && !atKey && isTelling(here.value);
  return positionAt(lines, startOf(points ? here.value : here.key) ?? startOf(here.value) ?? 0);
}

export function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function enter(document: Document, value: unknown, step: string | number): Place | undefined {
  const container = isAlias(value) ? value.resolve(document) : value;
  if (isMap(container)) {
    return container.items.find((pair) => keyName(pair.key) === String(step));
  }
  if (isSeq(container) && typeof step === "number" && step < container.items.length) {
    return { value: container.items[step] };
  }
  return undefined;
}

/** A collection begins lines below its key, and an absent value is nowhere: the key says more. */
function isTelling(value: unknown): boolean {
  return isAlias(value) || (isScalar(value) && value.source !== "");
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node satisfies Node).range?.[0] : undefined;
}
