/** The first entries of a list that comes in pages. Later pages are not requested. */
export async function* takeEntries<Page, Entry>(
  pages: AsyncIterable<Page>,
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
