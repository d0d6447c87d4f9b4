import type { RunnerTestCase } from "vitest";

/** What a run of the suite says about one clause of the contract. */
export interface ClauseReport {
  readonly clause: string;
  readonly result: "passed" | "failed" | "not applicable" | "not tried" | "not run";
  /** Tests that ran. */
  readonly tried: number;
  readonly failed: number;
  /** Why the clause is not applicable, or was not tried. */
  readonly why?: string;
}

/** What a run of the suite says about one rotator, in the order of the clauses. */
export interface RotatorReport {
  readonly rotator: string;
  readonly clauses: readonly ClauseReport[];
}

/** Judges a clause by its tests. */
export function judge(clause: string, tests: Iterable<RunnerTestCase>): ClauseReport {
  const states = Array.from(tests, ({ result }) => result?.state);
  const failed = states.filter((state) => state === "fail").length;
  const tried = failed + states.filter((state) => state === "pass").length;
  const result = failed > 0 ? "failed" : tried > 0 ? "passed" : "not run";
  return { clause, result, tried, failed };
}

/** The report as a table for a console. */
export function formatReport({ rotator, clauses }: RotatorReport): string {
  const width = Math.max(...clauses.map(({ clause }) => clause.length));
  const rows = clauses.map((one) => `  ${one.clause.padEnd(width)}  ${describe(one)}`);
  return [`The contract of rotators, tried on ${rotator}:`, ...rows].join("\n");
}

function describe({ result, tried, failed, why = "" }: ClauseReport): string {
  if (result === "not applicable") return `not applicable: ${why}`;
  if (result === "not tried") return `not tried, because ${why}`;
  if (result === "not run") return "not run";
  return failed === 0 ? `passed (${tried})` : `FAILED (${failed} of ${tried})`;
}

/** Prints the table. */
export function printReport(report: RotatorReport): void {
  console.log(formatReport(report));
}
