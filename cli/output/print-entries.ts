import { printJsonLine, printNote, printText } from "./print.ts";
import { type Column, formatTable } from "./table.ts";

interface Listing<Page, Entry> {
  readonly pages: AsyncIterable<Page> | Iterable<Page>;
  readonly read: (page: Page) => readonly Entry[];
  /** At most this many entries. Later pages are not requested. Default: all. */
  readonly limit?: number;
  readonly columns:
    readonly Column<Entry>[] | ((entries: readonly Entry[]) => readonly Column<Entry>[]);
  /** The note if there is no entry. */
  readonly none: string;
}

/** Prints the entries of a list: a table for people, or with `--json` one JSON object a line, as they come. */
export async function printEntries<Page, Entry>(
  { json }: { readonly json?: true | undefined },
  { pages, read, limit = Infinity, columns, none }: Listing<Page, Entry>,
): Promise<void> {
  const found: Entry[] = [];
  for await (const entry of takeEntries(pages, read, limit)) {
    if (json) printJsonLine(entry);
    else found.push(entry);
  }
  if (json) return;
  if (found.length === 0) printNote(none);
  else printText(formatTable(found, typeof columns === "function" ? columns(found) : columns));
}

async function* takeEntries<Page, Entry>(
  pages: AsyncIterable<Page> | Iterable<Page>,
  read: (page: Page) => readonly Entry[],
  limit: number,
): AsyncGenerator<Entry> {
  let left = limit;
  for await (const page of pages) {
    for (const entry of read(page)) {
      yield entry;
      left -= 1;
      if (left <= 0) return;
    }
  }
}

/** The limit of entries that `--limit` or `--all` requests, and the length of a page. */
export function toLimit({
  limit,
  all,
}: {
  readonly limit: number;
  readonly all?: true | undefined;
}) {
  const wanted = all ? Infinity : limit;
  return { limit: wanted, pageLength: String(Math.min(100, wanted)) };
}
