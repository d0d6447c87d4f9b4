import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Figure } from "../figure.ts";
import { duration, mebibytes, number } from "../output/format-table.ts";
import { makeConfiguration } from "../world/bench-configuration.ts";
import { startCallee } from "../world/calls.ts";

const sizes = [1_000, 10_000, 100_000];
/** Targets in one file, so that no file is hard to read. */
const targetsOfFile = 10_000;

const readingShape = z.object({ targets: z.number(), cpuMs: z.number(), rssBytes: z.number() });

export type Reading = z.output<typeof readingShape>;

/** Measures what each instance spends on a large configuration when it starts. */
export const configuration: Figure = {
  name: "configuration",
  about: "CPU and memory to read a configuration of 1,000 to 100,000 targets",
  async measure({ say }) {
    const folder = await mkdtemp(join(tmpdir(), "keyturn-bench-"));
    try {
      const rows = [];
      for (const size of sizes) {
        say(`${size} targets`);
        const { cpuMs, rssBytes } = await read(await write(join(folder, String(size)), size));
        rows.push({
          what: `CPU to read a configuration of ${number(size)} targets`,
          value: duration(cpuMs),
          note: `a folder of files; memory afterwards ${mebibytes(rssBytes)}`,
        });
      }
      return rows;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function write(folder: string, size: number): Promise<string> {
  await mkdir(folder);
  const ids = Array.from({ length: size }, (_, index) => `app${index}`);
  for (let from = 0; from < size; from += targetsOfFile) {
    const configured = makeConfiguration({
      ids: ids.slice(from, from + targetsOfFile),
      vaultUrl: "https://kv-bench.vault.azure.net",
      adminSecret: "postgresql-admin",
      serverOf: (id) => ({ host: `${id}.example.com`, port: 5432 }),
    });
    // Vaults and policies are named in one of the files.
    const text =
      from === 0 ? configured : { ...configured, vaults: undefined, policies: undefined };
    await writeFile(join(folder, `${from}.yaml`), JSON.stringify(text));
  }
  return folder;
}

async function read(path: string): Promise<Reading> {
  const callee = startCallee("configuration.ts");
  try {
    return readingShape.parse(await callee.call("read", path));
  } finally {
    await callee.close();
  }
}
