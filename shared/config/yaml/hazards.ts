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
import { type Aliases, keyName } from "./positions.ts";
import { holdsVariable, variableMessage } from "./syntax.ts";

/** What YAML allows and a configuration should not: found with the node, which knows its offset. */
export interface Hazard {
  readonly path: Path;
  readonly message: string;
  readonly offset: number;
  /** The first place of two, as an offset. */
  readonly first?: number;
  /** Nothing else that is found there needs to be said. */
  readonly explains?: boolean;
  /** The document has no meaning with this in it. */
  readonly fatal?: boolean;
}

/**
 * Finds repeated keys, merge keys, keys that are no text and aliases that lead nowhere or into themselves. Takes the
 * offending keys out of the document, so that they are not complained about twice.
 */
export function findHazards(document: Document): {
  readonly hazards: readonly Hazard[];
  readonly aliases: Aliases;
} {
  const hazards: Hazard[] = [];
  const anchors = new Map<string, Node>();
  const aliases = new Map<Alias, Node>();
  visit(document, {
    // An anchor may be set again; an alias means the last one above it, so they are met in the right order.
    Scalar(key, node, ancestors) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
      if (key === "key" || typeof node.value !== "string" || !holdsVariable(node.value)) return;
      const path = toPath([...ancestors, node]);
      const isFreeText = path.some((step) => freeTexts.includes(String(step)));
      if (isFreeText || hazards.length > mostHazards) return;
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
      if (hazards.length > mostHazards) return visit.BREAK;
      return measureDepth(node, ancestors, hazards);
    },
    Alias(_key, node, ancestors) {
      const source = anchors.get(node.source);
      if (source) aliases.set(node, source);
      const message = aliasTrouble(source, node, ancestors);
      if (!message) return undefined;
      const path = toPath([...ancestors, node]);
      hazards.push({ path, message, offset: node.range?.[0] ?? 0, fatal: true });
      return hazards.length > mostHazards ? visit.BREAK : undefined;
    },
  });
  return { hazards, aliases };
}

/** Nodes around a node. Nothing in a configuration is nested a quarter as deeply. */
const deepest = 100;

/** Fields in which dollars and braces are what they are. */
const freeTexts = ["reason", "symbols", "exclude", "forbidden", "exemptIdentities"];

function measureDepth(
  { range }: Node,
  ancestors: readonly unknown[],
  hazards: Hazard[],
): symbol | undefined {
  if (ancestors.length <= deepest) return undefined;
  const path = toPath(ancestors.slice(0, 3));
  hazards.push({ path, message: "is nested too deeply", offset: range?.[0] ?? 0, fatal: true });
  return visit.BREAK;
}

/** Finding out where one stands takes a walk through all that is beside it. */
const mostHazards = 200;

/** `pathOf` is asked for only where there is something to be said: most mappings are sound. */
function cleanMap(map: YAMLMap, pathOf: () => Path): Hazard[] {
  const hazards: Hazard[] = [];
  const seen = new Map<string, number>();
  map.items = map.items.filter((pair) => {
    const name = keyName(pair.key);
    const offset = findOffset(pair);
    const first = seen.get(name ?? "");
    const message = first === undefined ? keyTrouble(pair, name) : "is there twice";
    if (name !== undefined && first === undefined) seen.set(name, offset);
    if (message === undefined) return true;
    const path = pathOf();
    const at = name === undefined ? path : [...path, name];
    // A key such as {{ name }} makes a mapping of what was meant as text.
    const explains = name === undefined;
    hazards.push({ path: at, message, explains, offset, ...(first !== undefined && { first }) });
    return false;
  });
  return hazards;
}

function keyTrouble(pair: Pair, name: string | undefined): string | undefined {
  if (name === undefined) return "has a key that is no plain text; put the key in quotes";
  if (name === "__proto__") return "cannot be used as a key";
  if (name === "<<" && isScalar(pair.key) && pair.key.type === "PLAIN") {
    return "merge keys are not part of YAML 1.2; put what targets share under targetDefaults, or write the settings out";
  }
  return undefined;
}

function aliasTrouble(
  source: Node | undefined,
  alias: Alias,
  ancestors: readonly unknown[],
): string | undefined {
  if (source === undefined) return `there is no anchor &${alias.source} above this alias`;
  return ancestors.includes(source)
    ? `the alias *${alias.source} stands inside of what it repeats`
    : undefined;
}

function findOffset(pair: Pair): number {
  return isScalar(pair.key) || isMap(pair.key) || isSeq(pair.key) || isAlias(pair.key)
    ? (pair.key.range?.[0] ?? 0)
    : 0;
}

/** The path of the last of these nodes, each of which contains the next. */
function toPath(nodes: readonly unknown[]): Path {
  return nodes.flatMap((node, index): Path => {
    if (isPair(node)) return [keyName(node.key) ?? "?"];
    return isSeq(node) && index + 1 < nodes.length ? [node.items.indexOf(nodes[index + 1])] : [];
  });
}
