import { findNearest } from "../../core/nearest.ts";
import { type Finding, formatPath, type Path, type Problem } from "../problems.ts";
import type { Source } from "./document.ts";
import { isRecord } from "./is-record.ts";

const sections = ["vaults", "policies", "targets", "consumers"] as const;
export type Section = (typeof sections)[number];

/** A named entry of a section: its raw value and its location. */
export interface Entry {
  readonly id: string;
  readonly source: Source;
  readonly path: Path;
  readonly value: unknown;
}

export type Entries = Readonly<Record<Section, ReadonlyMap<string, Entry>>>;

export interface Merged {
  readonly entries: Entries;
  /** Sections whose entries are not known, because the section is not a mapping. */
  readonly unreadable: ReadonlySet<Section>;
  readonly problems: readonly Problem[];
}

/** Merges the sections of all files. A name that is defined twice is a problem; the first definition is kept. */
export function mergeSources(sources: readonly Source[]): Merged {
  const problems: Problem[] = [];
  const collect = (section: Section): ReadonlyMap<string, Entry> => {
    const kept = new Map<string, Entry>();
    for (const entry of sources.flatMap((source) => listEntries(source, section))) {
      const first = kept.get(entry.id);
      if (first === undefined) kept.set(entry.id, entry);
      else problems.push(reportDuplicate(entry, first));
    }
    return kept;
  };
  const entries: Entries = {
    vaults: collect("vaults"),
    policies: collect("policies"),
    targets: collect("targets"),
    consumers: collect("consumers"),
  };
  const unreadable = new Set(
    sections.filter((section) => sources.some((source) => isUnreadable(source, section))),
  );
  return {
    entries,
    unreadable,
    problems: [
      ...problems,
      ...["retention", "api", "ledger"].flatMap((field) => findFieldSetTwice(sources, field)),
    ],
  };
}

/** Reports a field that several files set although only one may. */
function findFieldSetTwice(sources: readonly Source[], field: string): Problem[] {
  const [first, ...others] = sources
    .filter((source) => source.value?.[field] !== undefined)
    .map((source) => ({ id: field, source, path: [field], value: source.value?.[field] }));
  return first === undefined ? [] : others.map((other) => reportDuplicate(other, first));
}

/** Formats the location of an entry, such as `keyturn.yaml:12:3`. */
export function formatLocation({ source, path }: Entry): string {
  const { file, line, column } = source.locate({ path, message: "", atKey: true });
  return `${file}:${line}:${column}`;
}

/** Locates findings whose paths begin at the entry. */
export function withLocation({ path, source }: Entry, findings: readonly Finding[]): Problem[] {
  return findings.map((finding) => source.locate({ ...finding, path: [...path, ...finding.path] }));
}

function listEntries(source: Source, section: Section): Entry[] {
  const key = keyFor(source.value ?? {}, section);
  const named = source.value?.[key];
  if (!isRecord(named)) return [];
  return Object.entries(named).map(([id, value]) => ({ id, source, path: [key, id], value }));
}

/** A misspelled section name is reported once, not again as missing entries of that section. */
function keyFor(written: Readonly<Record<string, unknown>>, section: Section): string {
  if (section in written) return section;
  return Object.keys(written).find((key) => findNearest(key, sections) === section) ?? section;
}

function isUnreadable({ value = {} }: Source, section: Section): boolean {
  const named = value[keyFor(value, section)];
  return named !== undefined && !isRecord(named);
}

function reportDuplicate(entry: Entry, first: Entry): Problem {
  const message = `is defined twice; the first is at ${formatLocation(first)}`;
  return {
    ...entry.source.locate({ path: entry.path, message, atKey: true }),
    path: formatPath(entry.path),
  };
}
