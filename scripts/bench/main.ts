/** `npm run bench`: measures what a rotation costs and how fast rotations are, and prints tables. No figure fails on time. */
import { parseArgs } from "node:util";
import { z } from "zod";
import type { Figure } from "./figure.ts";
import { figures } from "./figures.ts";
import { formatGrid, formatTable, type Row } from "./output/format-table.ts";
import { machine } from "./output/machine.ts";
import { publish } from "./output/page.ts";
import { closeWorlds } from "./world/world.ts";

const widest = Math.max(...figures.map(({ name }) => name.length));

const usage = `npm run bench -- [--only NAME,NAME] [--rotations N]
                 [--targets N] [--instances N] [--vaults N] [--write]

  --only NAMES    measure only these figures, separated by commas
  --rotations N   rotations of a round. Default: depends on the figure
  --targets N     targets of the simulated fleet. Default: 10000
  --instances N   instances of the simulated fleet. Default: 20
  --vaults N      vaults of the simulated fleet. Default: 1
  --write         replace the results in docs/explanation/ as well

Figures:
${figures.map(({ name, about }) => `  ${name.padEnd(widest)}  ${about}`).join("\n")}`;

const count = z.coerce.number().int().min(1).max(1_000_000).optional();
const shape = z.object({
  only: z.string().optional(),
  rotations: count,
  targets: count,
  instances: count,
  vaults: count,
  write: z.boolean().optional(),
  help: z.boolean().optional(),
});

function readArguments() {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    ...{ only: text, rotations: text, write: flag, help: flag },
    ...{ targets: text, instances: text, vaults: text },
  };
  return shape.parse(parseArgs({ options }).values);
}

/** Selects the figures. Throws for an unknown name. */
function chosen(only: string | undefined): readonly Figure[] {
  if (only === undefined) return figures;
  return only.split(",").map((name) => {
    const figure = figures.find((one) => one.name === name);
    if (figure) return figure;
    const names = figures.map((one) => one.name).join(", ");
    throw new Error(`Unknown figure "${name}". Figures: ${names}.`);
  });
}

/** Prints separate tables at once and returns the rows of the common table. */
async function measure(only: readonly Figure[], asked: z.output<typeof shape>) {
  const rows: Row[] = [];
  for (const figure of only) {
    const say = (line: string) => process.stderr.write(`${figure.name}: ${line}\n`);
    say("starts");
    const result = await figure.measure({ ...asked, say });
    const text =
      "grids" in result ? result.grids.map(formatGrid).join("\n\n") : formatTable(result);
    const { name, page = "performance" } = figure;
    if (asked.write === true) publish(page, name, `${text}\n\n${machine()}`);
    if ("grids" in result) process.stdout.write(`${text}\n\n`);
    else rows.push(...result);
  }
  return rows;
}

/** Stops every process on a signal. Otherwise PostgreSQL, which has its own process group, would continue to run. */
function stopOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      process.stderr.write(`${signal}: stopping every process first\n`);
      void closeWorlds().finally(() => process.exit(130));
    });
  }
}

async function main(): Promise<number> {
  let asked: z.output<typeof shape>;
  let only: readonly Figure[];
  try {
    asked = readArguments();
    only = chosen(asked.only);
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : toMessage(error);
    process.stderr.write(`${problem}\n\n${usage}\n`);
    return 2;
  }
  if (asked.help === true) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  stopOnSignals();
  const rows = await measure(only, asked).catch((error: unknown) => {
    process.stderr.write(`The bench failed: ${toMessage(error)}\n`);
    return undefined;
  });
  if (!rows) return 1;
  if (rows.length > 0) process.stdout.write(`${formatTable(rows)}\n\n`);
  process.stdout.write(`${machine()}\n`);
  return 0;
}

const toMessage = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

process.exitCode = await main();
