import { isRecord } from "./document.ts";
import type { Source } from "./document.ts";
import { formatPath } from "./problems.ts";
import type { Finding, Path, Problem } from "./problems.ts";

export type Section = "vaults" | "policies" | "targets" | "consumers";

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
  readonly problems: readonly Problem[];
}

/** Puts the sections of all files together. What is named twice is a problem; the first one is kept. */
export function merge(sources: readonly Source[]): Merged {
  const problems: Problem[] = [];
  const collect = (section: Section): ReadonlyMap<string, Entry> => {
    const kept = new Map<string, Entry>();
    for (const entry of sources.flatMap((source) => entriesOf(source, section))) {
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
  return { entries, problems };
}

/** Says where an entry stands, such as `keyturn.yaml:12:3`. */
export function whereabouts({ source, path }: Entry): string {
  const { file, line, column } = source.locate({ path, message: "", atKey: true });
  return `${file}:${line}:${column}`;
}

/** Findings whose paths begin at the entry. */
export function located({ path, source }: Entry, findings: readonly Finding[]): Problem[] {
  return findings.map((finding) => source.locate({ ...finding, path: [...path, ...finding.path] }));
}

function entriesOf(source: Source, section: Section): Entry[] {
  const named = source.value?.[section];
  if (!isRecord(named)) return [];
  return Object.entries(named).map(([id, value]) => ({ id, source, path: [section, id], value }));
}

function twice(entry: Entry, first: Entry): Problem {
  const message = `is there twice; the first is at ${whereabouts(first)}`;
  return {
    ...entry.source.locate({ path: entry.path, message, atKey: true }),
    path: formatPath(entry.path),
  };
}
