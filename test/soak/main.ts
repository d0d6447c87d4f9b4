/** `npm run soak -- --minutes N --seed S`: runs Keyturn under faults and reports what consumers noticed. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { z } from "zod";
import { faults, faultsNamed } from "./faults.ts";
import type { Fault } from "./faults/fault.ts";
import { formatTable, newReport, type Report, seconds, sumUp } from "./report.ts";
import { runSoak } from "./soak.ts";

const usage = `npm run soak -- [--minutes N] [--seed S] [--faults PART,PART] [--quick] [--rounds N] [--log FILE] [--list]

  --minutes N     start no round after N minutes. Default: 10
  --seed S        the order and the details of the faults. Default: a random one, which is printed
  --faults PARTS  only faults whose name contains one of the parts, separated by commas
  --quick         make each fault as short as possible
  --rounds N      end after N rounds
  --log FILE      append the output of the hosts
  --list          list the faults`;

const shape = z.object({
  minutes: z.coerce.number().positive().max(10_000).default(10),
  seed: z.coerce.number().int().min(0).optional(),
  faults: z.string().optional(),
  rounds: z.coerce.number().int().min(1).optional(),
  log: z.string().optional(),
  quick: z.boolean().optional(),
  list: z.boolean().optional(),
  help: z.boolean().optional(),
});

function readArguments() {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    options: {
      ...{ minutes: text, seed: text, faults: text, rounds: text, log: text },
      ...{ quick: flag, list: flag, help: flag },
    },
  });
  return shape.parse(values);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printReport(report: Report): void {
  const { rows, totals, notes } = report;
  const sum = sumUp(rows);
  print("");
  for (const line of formatTable(rows)) print(line);
  print("");
  print(`rotations done                    ${totals.rotations}`);
  print(`log-ins of consumers              ${totals.logIns}`);
  print(`refused log-ins of pairs          ${sum.refused}`);
  print(`longest gap of a single account   ${seconds(sum.maxGapMs)}`);
  print(`log-ins that a fault kept out     ${sum.keptOut}`);
  if (notes.length > 0) print("");
  for (const note of notes) print(`- ${note}`);
}

async function soak(given: z.output<typeof shape>, chosen: readonly Fault[]): Promise<number> {
  const { minutes, seed = randomInt(1_000_000), rounds, log, quick: isQuick } = given;
  const only = given.faults === undefined ? "" : ` --faults ${JSON.stringify(given.faults)}`;
  const quick = isQuick === true ? " --quick" : "";
  print(
    `seed ${seed}. To repeat: npm run soak -- --minutes ${minutes} --seed ${seed}${only}${quick}`,
  );

  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (!stopping.signal.aborted) print(`${signal}: stopping; every process is ended first`);
      stopping.abort();
    });
  }
  const began = performance.now();
  const clock = () => new Date(performance.now() - began).toISOString().slice(11, 19);
  const report = newReport();
  try {
    await runSoak({
      ...{ minutes, seed, rounds, isQuick, logFile: log },
      ...{ report, signal: stopping.signal, faults: chosen },
      say: (line) => {
        print(`${clock()}  ${line}`);
      },
    });
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
  printReport(report);
  if (stopping.signal.aborted) return 130;
  const { lost, withoutAlarm, refused } = sumUp(report.rows);
  return lost + withoutAlarm + refused === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  let given: z.output<typeof shape>;
  let chosen: readonly Fault[];
  try {
    given = readArguments();
    chosen = faultsNamed(given.faults?.split(",") ?? [""]);
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : toMessage(error);
    process.stderr.write(`${problem}\n\n${usage}\n`);
    return 2;
  }
  if (given.help === true || given.list === true) {
    print(given.help === true ? usage : faults.map(({ name }) => name).join("\n"));
    return 0;
  }
  return soak(given, chosen);
}

const toMessage = (error: unknown): string =>
  error instanceof Error ? error.message : "The arguments are invalid.";

process.exitCode = await main();
