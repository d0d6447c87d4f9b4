import { type Document, LineCounter, parseDocument } from "yaml";
import { type Finding, formatPath, type Problem } from "../problems.ts";
import { findHazards } from "./hazards.ts";
import { isRecord } from "./is-record.ts";
import { findPosition, toPosition } from "./positions.ts";
import type { SourceFile } from "./read.ts";
import { findSyntaxProblems } from "./syntax.ts";

/** The content of one YAML file, and the locations of its values. */
export interface Source {
  readonly name: string;
  /** Plain JSON. Undefined when the file could not be parsed. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
  /** The problems of the file as YAML. */
  readonly problems: readonly Problem[];
  /** Paths whose problem is already reported. Further problems there would only be consequences. */
  readonly explained: ReadonlySet<string>;
  readonly locate: (finding: Finding) => Problem;
}

/** Aliases inside aliases grow exponentially. A configuration that a person writes stays far below this limit. */
const maxAliasCount = 10_000;
/** Values that aliases may add to the written ones. Only the size of the file limits the written values. */
const maxRepeatedValues = 3_000_000;

/** Parses a file. A file that is not YAML becomes a source with one problem. */
export function toSource(file: SourceFile): Source {
  if ("problem" in file) return brokenSource(file.name, file.problem);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(file.bytes);
  } catch (error) {
    const code: unknown = error instanceof Error && Reflect.get(error, "code");
    const isMalformed = code === "ERR_ENCODING_INVALID_ENCODED_DATA";
    const message = isMalformed ? "is not UTF-8 text" : `cannot be read (${String(code)})`;
    return brokenSource(file.name, message);
  }
  return parseSource(file.name, text);
}

export function parseSource(name: string, text: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const at = (offset: number, message: string, path = ""): Problem => ({
    file: name,
    ...toPosition(lines, offset),
    path,
    message,
  });
  const syntax = findSyntaxProblems(text, document).map(({ offset, message }) =>
    at(offset, message),
  );
  const { yaml } = document.directives;
  if (yaml.explicit === true && yaml.version !== "1.2") {
    syntax.push(at(0, `declares YAML ${yaml.version}; Keyturn reads YAML 1.2 only`));
  }
  const { hazards, aliases } =
    syntax.length > 0 ? { hazards: [], aliases: new Map() } : findHazards(document);
  const found = hazards.map(({ offset, message, path, first }) => {
    const { line, column } = toPosition(lines, first ?? 0);
    const where = first === undefined ? "" : `; the first is at ${name}:${line}:${column}`;
    return at(offset, message + where, formatPath(path));
  });
  const readable = syntax.length === 0 && !hazards.some(({ fatal }) => fatal);
  const read = readable ? readValue(document, aliases.size > 0) : {};
  if (read.problem !== undefined) found.push(at(0, read.problem));
  return {
    name,
    value: read.value,
    problems: [...syntax, ...found],
    explained: new Set(
      hazards.filter(({ explains }) => explains).map(({ path }) => formatPath(path)),
    ),
    locate: ({ path, message, atKey }) => {
      const position = findPosition({ document, aliases, lines }, path, atKey ?? false);
      return { file: name, ...position, path: formatPath(path), message };
    },
  };
}

/** Returns the source of a file that is not YAML. */
function brokenSource(name: string, message: string): Source {
  const problem = { file: name, line: 0, column: 0, path: "", message };
  return {
    name,
    value: undefined,
    problems: [problem],
    explained: new Set(),
    locate: (finding) => ({ ...problem, ...finding, path: formatPath(finding.path) }),
  };
}

function readValue(
  document: Document,
  hasAliases: boolean,
): { value?: Record<string, unknown>; problem?: string } {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount });
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
    return { problem: "has too many aliases; write some of the values out" };
  }
  if (hasAliases && countRepeated(value) > maxRepeatedValues) {
    return { problem: "has too many aliases; write some of the values out" };
  }
  if (value === null || value === undefined) return { problem: "is empty" };
  if (!isRecord(value))
    return { problem: 'is not a mapping of keys to values; it must begin with "version: 1"' };
  return { value };
}

/** Counts the values in a value, including itself. A repeated value is walked once and counted each time. */
export function countNodes(value: unknown, known = new Map<object, number>()): number {
  if (typeof value !== "object" || value === null) return 1;
  const found = known.get(value);
  if (found !== undefined) return found;
  let count = 1;
  for (const one of Object.values(value) as unknown[]) count += countNodes(one, known);
  known.set(value, count);
  return count;
}

/** Counts the values that exist only because of aliases. */
export function countRepeated(value: unknown): number {
  const known = new Map<object, number>();
  const all = countNodes(value, known);
  let written = 1;
  for (const container of known.keys()) written += Object.keys(container).length;
  return all - written;
}
