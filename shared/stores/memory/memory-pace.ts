import type { PaceMark, PaceStore } from "../pace.ts";

/** A pace in memory. */
export function makeMemoryPace(): PaceStore {
  const marks = new Map<string, PaceMark>();
  let writes = 0;
  return {
    read: (vault) => Promise.resolve(marks.get(vault)),
    write: (vault, freeAt, etag) => {
      if (marks.get(vault)?.etag !== etag) return Promise.resolve(undefined);
      const mark = { freeAt, etag: String(++writes) };
      marks.set(vault, mark);
      return Promise.resolve(mark);
    },
  };
}
