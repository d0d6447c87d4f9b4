import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLMap,
} from "yaml";
import type { Path } from "../problems.ts";
import { type Aliases, toKeyName } from "./positions.ts";
import { holdsVariable, variableMessage } from "./syntax.ts";

/** Something that YAML allows and a configuration must not contain. */
export interface Hazard {
  readonly path: Path;
  readonly message: string;
  readonly offset: number;
  /** The offset of the first occurrence of a repeated key. */
  readonly first?: number;
  /** Whether other problems at the same path are only consequences of this one. */
  readonly explains?: boolean;
  /** Whether the document cannot be read because of it. */
  readonly fatal?: boolean;
}

/**
 * Finds repeated keys, merge keys, keys that are not text, and aliases without an anchor or inside their own anchor.
 * Removes the rejected keys from the document, so that they are reported only once.
 */
export function findHazards(document: Document): {
  readonly hazards: readonly Hazard[];
  readonly aliases: Aliases;
} {
  const hazards: Hazard[] = [];
  const anchors = new Map<string, Node>();
  const aliases = new Map<Alias, Node>();
  visit(document, {
    // An anchor may be redefined. An alias refers to the last anchor above it, so the order of the visit matters.
    Scalar(key, node, ancestors) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
      if (key === "key" || typeof node.value !== "string" || !holdsVariable(node.value)) return;
      const path = toPath([...ancestors, node]);
      const isFreeText = path.some((step) => freeTexts.includes(String(step)));
      if (isFreeText || hazards.length > maxHazards) return;
      const offset = node.range?.[0] ?? 0;
      hazards.push({ path, message: variableMessage, offset, explains: true });
    },
    Seq(_key, node, ancestors) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
      return measureDepth(node, ancestors, hazards);
    },
    Map(_key, node, ancestors) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
      for (const hazard of cleanMap(node, () => toPath([...ancestors, node]))) {
        hazards.push(hazard);
      }
      if (hazards.length > maxHazards) return visit.BREAK;
      return measureDepth(node, ancestors, hazards);
    },
    Alias(_key, node, ancestors) {
      const source = anchors.get(node.source);
      if (source) aliases.set(node, source);
      const message = findAliasProblem(source, node, ancestors);
      if (!message) return undefined;
      const path = toPath([...ancestors, node]);
      hazards.push({ path, message, offset: node.range?.[0] ?? 0, fatal: true });
      return hazards.length > maxHazards ? visit.BREAK : undefined;
    },
  });
  return { hazards, aliases };
}

/** The maximum number of nodes around a node. A valid configuration needs less than a quarter of it. */
const maxDepth = 100;

/** Fields of free text, in which dollar signs and braces are not variables. */
const freeTexts = ["reason", "symbols", "exclude", "forbidden", "exemptIdentities"];

function measureDepth(
  { range }: Node,
  ancestors: readonly unknown[],
  hazards: Hazard[],
): symbol | undefined {
  if (ancestors.length <= maxDepth) return undefined;
  const path = toPath(ancestors.slice(0, 3));
  hazards.push({ path, message: "is nested too deeply", offset: range?.[0] ?? 0, fatal: true });
  return visit.BREAK;
}

/** Hazards after which the visit stops. Computing the path of a hazard walks through all of its siblings. */
const maxHazards = 200;

/** `pathOf` is called only if there is a hazard, because computing a path is slow and most mappings have none. */
function cleanMap(map: YAMLMap, pathOf: () => Path): Hazard[] {
  const hazards: Hazard[] = [];
  const seen = new Map<string, number>();
  map.items = map.items.filter((pair) => {
    const name = toKeyName(pair.key);
    const offset = findOffset(pair);
    const first = seen.get(name ?? "");
    const message = first === undefined ? findKeyProblem(pair, name) : "is defined twice";
    if (name !== undefined && first === undefined) seen.set(name, offset);
    if (message === undefined) return true;
    const path = pathOf();
    const at = name === undefined ? path : [...path, name];
    // With a key such as {{ name }}, text is parsed as a mapping.
    const explains = name === undefined;
    hazards.push({ path: at, message, explains, offset, ...(first !== undefined && { first }) });
    return false;
  });
  return hazards;
}

function findKeyProblem(pair: Pair, name: string | undefined): string | undefined {
  if (name === undefined) return "has a key that is not plain text; put the key in quotes";
  if (name === "__proto__") return "cannot be used as a key";
  if (name === "<<" && isScalar(pair.key) && pair.key.type === "PLAIN") {
    return "merge keys are not part of YAML 1.2; use targetDefaults for values that targets share, or write the values out";
  }
  return undefined;
}

function findAliasProblem(
  source: Node | undefined,
  alias: Alias,
  ancestors: readonly unknown[],
): string | undefined {
  if (source === undefined) return `anchor &${alias.source} does not exist above this alias`;
  return ancestors.includes(source)
    ? `the alias *${alias.source} is inside its own anchor`
    : undefined;
}

function findOffset(pair: Pair): number {
  return isScalar(pair.key) || isMap(pair.key) || isSeq(pair.key) || isAlias(pair.key)
    ? (pair.key.range?.[0] ?? 0)
    : 0;
}

/** Returns the path of the last node. Each node contains the next one. */
function toPath(nodes: readonly unknown[]): Path {
  return nodes.flatMap((node, index): Path => {
    if (isPair(node)) return [toKeyName(node.key) ?? "?"];
    return isSeq(node) && index + 1 < nodes.length ? [node.items.indexOf(nodes[index + 1])] : [];
  });
}
