import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";

const columns = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const sample = z.strictObject({
  target: columns,
  leanTarget: columns,
  run: columns,
  leanRun: columns,
  alarm: columns,
});
type Sample = z.output<typeof sample>;

const folder = new URL("samples/", import.meta.url);

/** Rows as every version of Keyturn so far has written them: the file name, the version, and the columns. */
export const samples: readonly (readonly [string, number, Sample])[] = readdirSync(folder)
  .filter((name) => /^schema-\d+.*\.json$/.test(name))
  .sort()
  .map((name) => [
    name,
    Number(/\d+/.exec(name)?.[0]),
    sample.parse(JSON.parse(readFileSync(new URL(name, folder), "utf8"))),
  ]);

export const getPath = (name: string) => new URL(name, folder).pathname;
