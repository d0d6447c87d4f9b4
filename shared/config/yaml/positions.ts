import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
} from "yaml";
import type { Path } from "../problems.ts";

export interface Position {
  /** Lines and columns count from 1. */
  readonly line: number;
  readonly column: number;
}

interface Place {
  readonly key?: unknown;
  readonly value: unknown;
}

/** The node that each alias repeats. To resolve an alias by itself would walk through the whole document. */
export type Aliases = ReadonlyMap<Alias, Node>;

/** Returns the name of a key, or undefined for a key that is not plain text, such as a list. */
export function toKeyName(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  if (typeof key.value === "string") return key.value;
  // YAML parses 0x10 and 1e3 as numbers, whose text is not the written name.
  return key.source === String(key.value) ? key.source : undefined;
}

export interface Located {
  readonly document: Document;
  readonly aliases: Aliases;
  readonly lines: LineCounter;
}

/** Finds the position of the value at `path`, or of its nearest parent when there is no such value. */
export function findPosition(
  { document, aliases, lines }: Located,
  path: Path,
  atKey: boolean,
): Position {
  let here: Place = { value: document.contents };
  let complete = true;
  for (const step of path) {
    const next = enter(aliases, here.value, step);
    if (next === undefined) {
      complete = false;
      break;
    }
    here = next;
  }
  const points = complete && !atKey && isTelling(here.value);
  return toPosition(lines, findStart(points ? here.value : here.key) ?? findStart(here.value) ?? 0);
}

export function toPosition(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function enter(aliases: Aliases, value: unknown, step: string | number): Place | undefined {
  const container = isAlias(value) ? aliases.get(value) : value;
  if (isMap(container)) return listPairs(container).get(String(step));
  if (isSeq(container) && typeof step === "number" && step < container.items.length) {
    return { value: container.items[step] };
  }
  return undefined;
}

const pairsByMap = new WeakMap<YAMLMap, ReadonlyMap<string | undefined, Pair>>();

/** Computed once for each mapping, because a mapping may have thousands of problems. */
function listPairs(map: YAMLMap): ReadonlyMap<string | undefined, Pair> {
  const known = pairsByMap.get(map);
  if (known) return known;
  const pairs = new Map(map.items.map((pair) => [toKeyName(pair.key), pair]));
  pairsByMap.set(map, pairs);
  return pairs;
}

/** Whether the value is a better location than its key. A collection begins below its key, and an absent value has no location. */
function isTelling(value: unknown): boolean {
  return isAlias(value) || (isScalar(value) && value.source !== "");
}

function findStart(node: unknown): number | undefined {
  return isNode(node) ? (node satisfies Node).range?.[0] : undefined;
}
