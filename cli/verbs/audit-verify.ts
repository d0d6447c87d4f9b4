import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { type LedgerReport, verifyLedger } from "../../shared/app.ts";
import { exitCodes, usageFailure } from "../exit-codes.ts";
import { colour } from "../output/colour.ts";
import { printJson, printText } from "../output/print.ts";

interface VerifyOptions {
  readonly head?: string | undefined;
  readonly key?: string | undefined;
  readonly json?: true | undefined;
}

/** Verifies an export, without an app and without a network. A problem in it ends the command with the code `failed`. */
export async function verifyFile(file: string, { head, key, json }: VerifyOptions): Promise<void> {
  const evidence = {
    ...(head !== undefined && { head: await readHead(head) }),
    ...(key !== undefined && { keys: await readText(key) }),
  };
  const report = await verifyLedger(readLines(file), evidence);
  if ("unreadable" in report) throw usageFailure(unreadable[report.unreadable]);
  if (json) printJson({ valid: report.problem === undefined, ...report });
  else printText(describeReport(file, report).join("\n"));
  if (report.problem) process.exitCode = exitCodes.failed;
}

const unreadable = {
  head: "--head must be a file with a head, such as `keyturn audit head --json` prints, or NUMBER:HASH.",
  keys: "--key must be a file with one or several public keys in PEM (BEGIN PUBLIC KEY).",
};

async function* readLines(file: string): AsyncGenerator<string> {
  const input = createReadStream(file, "utf8");
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) yield line;
  } catch {
    throw usageFailure(`${file} cannot be read.`);
  }
}

/** The text of a file, or the text itself. */
async function readHead(given: string): Promise<string> {
  return /^\d+:/.test(given) ? given : readText(given);
}

async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => {
    throw usageFailure(`${file} cannot be read.`);
  });
}

function describeReport(file: string, report: LedgerReport): string[] {
  const { problem, entries, start, last } = report;
  const first = (start?.sequence ?? 0) + 1;
  const range = entries === 0 ? "no entries" : `entries ${first} to ${last}`;
  if (problem) {
    const where = problem.line === undefined ? "" : ` (line ${problem.line})`;
    return [
      colour("red", `${file} is not valid: ${problem.message}${where}`),
      entries === 0 ? "No entry before it is proven." : describeRest(problem, range),
    ];
  }
  const begins =
    first === 1
      ? []
      : [
          `The file begins after entry ${first - 1}: it does not show whether earlier entries were removed.`,
        ];
  return [
    colour("green", `${file} is valid: ${range}, none removed, altered or reordered.`),
    ...begins,
    describeSignatures(report),
    describeHead(report),
  ];
}

/** A missing signature concerns every entry; another problem has entries before it. */
function describeRest({ kind, line }: NonNullable<LedgerReport["problem"]>, range: string): string {
  const where = kind === "signature" && line === undefined ? "In the file" : "Before it";
  return `${where}, ${range} follow each other.`;
}

function describeSignatures({ signatures, unchecked, last }: LedgerReport): string {
  if (unchecked > 0)
    return `${unchecked} signatures were not checked: give the public key with --key.`;
  if (signatures.valid === 0) {
    return "No signature was checked: anyone who can write to the journal could have computed the chain again.";
  }
  const rest =
    signatures.through < last
      ? ` Entries ${signatures.through + 1} to ${last} are not covered yet.`
      : "";
  return `${signatures.valid} signatures are valid and cover everything up to entry ${signatures.through}.${rest}`;
}

function describeHead({ head, last }: LedgerReport): string {
  switch (head) {
    case "matches":
      return "The given head matches: nothing up to it was removed.";
    case "earlier":
      return "The given head names an entry before the first of this file, so it was not compared.";
    case "differs":
    case "none":
      return `The file ends with entry ${last}. Without a head (--head), a removed tail cannot be noticed.`;
  }
}
