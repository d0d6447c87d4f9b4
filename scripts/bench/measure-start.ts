/**
 * Measures what a start of the package costs, and prints a table:
 *
 *     node scripts/run.mjs scripts/bench/measure-start.ts
 *
 * CPU seconds with 100, 1,000 and 10,000 targets, from the checked form and from the YAML; and the cold start beside that of
 * the smallest function there is, in a process of Node alone. The Functions worker adds the same to both. Medians; the runs
 * of what is compared take turns. It takes a few minutes.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { rolldown } from "rolldown";
import { z } from "zod";
import { configuration } from "./start-configuration.ts";

/** One line of the table. Seconds. */
export interface Row {
  readonly what: string;
  readonly cpu: number;
  readonly wall: number;
}

interface App {
  readonly what: string;
  readonly folder: string;
  /** A configuration outside the package, which therefore has no checked form. */
  readonly config?: string;
}

const root = resolve(import.meta.dirname, "../..");
const sizes = [100, 1_000, 10_000] as const;
const runs = 7;
const reported = z.object({ functions: z.number().min(1), cpu: z.number() });

const settings = {
  AzureWebJobsStorage: "UseDevelopmentStorage=true",
  KEYTURN_QUEUE: "keyturn-work",
  KEYTURN_SWEEP_SCHEDULE: "0 * * * * *",
};

/** Measures the starts. Each row is the median of several runs. The first row is a minimal function. */
export async function measureStart(): Promise<Row[]> {
  const scratch = await mkdtemp(join(tmpdir(), "keyturn-bench-"));
  try {
    const hello = { what: "hello world", folder: await buildHello(join(scratch, "hello")) };
    const apps = await buildAll(scratch);
    return await takeTurns([hello, ...apps]);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function buildHello(folder: string): Promise<string> {
  const bundle = await rolldown({
    cwd: root,
    input: { hello: join(import.meta.dirname, "hello.ts") },
    platform: "node",
    external: ["@azure/functions-core"],
  });
  await bundle.write({ dir: folder, format: "esm", entryFileNames: "functions/[name].js" });
  await bundle.close();
  await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  return folder;
}

async function buildAll(scratch: string): Promise<App[]> {
  const apps: App[] = [];
  for (const size of sizes) {
    const config = join(scratch, `${size}.yaml`);
    const folder = join(scratch, `package-${size}`);
    await writeFile(config, configuration(size));
    build(folder, config);
    const what = `${size.toLocaleString("en")} targets`;
    apps.push({ what: `${what}, checked form`, folder }, { what: `${what}, YAML`, folder, config });
  }
  return apps;
}

function build(out: string, config: string): void {
  const script = join(root, "scripts", "build.ts");
  const { status, stderr } = spawnSync(
    process.execPath,
    [script, "--out", out, "--config", config],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
}

async function takeTurns(apps: readonly App[]): Promise<Row[]> {
  const measured = new Map<App, Omit<Row, "what">[]>(apps.map((app) => [app, []]));
  // The first round fills the cache of the disk.
  for (let round = 0; round <= runs; round++) {
    for (const [app, found] of measured) {
      const one = await start(app);
      if (round > 0) found.push(one);
    }
  }
  return [...measured].map(([{ what }, found]) => ({
    what,
    cpu: median(found.map(({ cpu }) => cpu)),
    wall: median(found.map(({ wall }) => wall)),
  }));
}

async function start({ folder, config }: App): Promise<Omit<Row, "what">> {
  const began = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, "started-app.mjs")], {
    cwd: folder,
    env: { ...settings, ...(config !== undefined && { KEYTURN_CONFIG: config }) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let wall = 0;
  child.stdout.once("data", () => (wall = (performance.now() - began) / 1_000));
  const [said, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (said === "") throw new Error(`The app in ${folder} did not start:\n${errors}`);
  return { cpu: reported.parse(JSON.parse(said)).cpu, wall };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function table(rows: readonly Row[]): string {
  const [hello] = rows;
  const lines = rows.map(({ what, cpu, wall }) => {
    const times = (wall / (hello?.wall ?? wall)).toFixed(2);
    const figures = [cpu.toFixed(3), wall.toFixed(3), times].map((one) => one.padStart(12));
    return what.padEnd(28) + figures.join("");
  });
  const titles = ["CPU s", "wall s", "times hello"].map((one) => one.padStart(12));
  return ["".padEnd(28) + titles.join(""), ...lines].join("\n");
}

if (import.meta.main) console.log(table(await measureStart()));
