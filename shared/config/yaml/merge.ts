import { nearest } from "../../core/nearest.ts";
import { type Finding, formatPath, type Path, type Problem } from "../problems.ts";
import type { Source } from "./document.ts";
import { isRecord } from "./is-record.ts";

const sections = ["vaults", "policies", "targets", "consumers"] as const;
export type Section = (typeof sections)[number];

/** One named thing of a section, as it is written, and where. */
export interface Entry {
  readonly id: string;
  readonly source: Source;
  readonly path: Path;
  readonly value: unknown;
}

export type Entries = Readonly<Record<Section, ReadonlyMap<string, Entry>>>;

export interface Merged {
  readonly entries: Entries;
  /** Sections that are written, but not as a mapping: nobody knows what is in them. */
  readonly unreadable: ReadonlySet<Section>;
  readonly problems: readonly Problem[];
}

/** Puts the sections of all files together. What is named twice is a problem; the first one is kept. */
export function merge(sources: readonly Source[]): Merged {
  const problems: Problem[] = [];
  const collect = (section: Section): ReadonlyMap<string, Entry> => {
    const kept = new Map<string, Entry>();
    for (const entry of sources.flatMap((source) => listEntries(source, section))) {
      const first = kept.get(entry.id);
      if (first === undefined) kept.set(entry.id, entry);
      else problems.push(twice(entry, first));
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
  return { entries, unreadable, problems: [...problems, ...setTwice(sources, "retention")] };
}

/** A field that only one of the files may have. */
function setTwice(sources: readonly Source[], field: string): Problem[] {
  const [first, ...others] = sources
    .filter((source) => source.value?.[field] !== undefined)
    .map((source) => ({ id: field, source, path: [field], value: source.value?.[field] }));
  return first === undefined ? [] : others.map((other) => twice(other, first));
}

/** Says where an entry stands, such as `keyturn.yaml:12:3`. */
export function whereabouts({ source, path }: Entry): string {
  const { file, line, column } = source.locate({ path, message: "", atKey: true });
  return `${file}:${line}:${column}`;
}

/** Findings whose paths begin at the entry. */
export function withLocation({ path, source }: Entry, findings: readonly Finding[]): Problem[] {
  return findings.map((finding) => source.locate({ ...finding, path: [...path, ...finding.path] }));
}

function listEntries(source: Source, section: Section): Entry[] {
  const key = keyFor(source.value ?? {}, section);
  const named = source.value?.[key];
  if (!isRecord(named)) return [];
  return Object.entries(named).map(([id, value]) => ({ id, source, path: [key, id], value }));
}

/** A section under a name that is nearly right is a problem by itself; that all is missing which is in it, is none. */
function keyFor(written: Readonly<Record<string, unknown>>, section: Section): string {
  if (section in written) return section;
  return Object.keys(written).find((key) => nearest(key, sections) === section) ?? section;
}

function isUnreadable({ value = {} }: Source, section: Section): boolean {
  const named = value[keyFor(value, section)];
  return named !== undefined && !isRecord(named);
}

function twice(entry: Entry, first: Entry): Problem {
  const message = `is there twice; the first is at ${whereabouts(first)}`;
  return {
    ...entry.source.locate({ path: entry.path, message, atKey: true }),
    path: formatPath(entry.path),
  };
}
