import { writeSync } from "node:fs";
import type {
  Reporter,
  SerializedError,
  TestModule,
  TestRunEndReason,
  TestSpecification,
} from "vitest/node";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** "Tests: 12 passed, 0 failed", with ", 1 skipped" only where something was skipped. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  const skips = skipped > 0 ? `, ${String(skipped)} skipped` : "";
  return `Tests: ${String(passed)} passed, ${String(failed)} failed${skips}`;
}

function countModule(module: TestModule, counts: Counts): void {
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    // A test without a result was cut off: it did not pass.
    counts[state === "pending" ? "failed" : state] += 1;
  }
  // A file that cannot be imported, or a hook that throws, fails without failing a test.
  const suites = [module, ...module.children.allSuites()];
  counts.failed += suites.filter((suite) => suite.errors().length > 0).length;
}

function countRun(
  modules: readonly TestModule[],
  unhandledErrors: readonly SerializedError[],
  reason: TestRunEndReason,
): Counts {
  const counts: Counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  for (const module of modules) countModule(module, counts);
  // Nothing found, or interrupted: the line must not read like success.
  if (reason !== "passed" && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** "[7/120] test/engine/proofs/race.test.ts"; scripts/check.ts reads it. */
function startLine(started: number, total: number, file: string): string {
  return `[${String(started)}/${String(total)}] ${file}`;
}

/**
 * Ends the output of a run with one line that people and tools can read. Where no terminal shows what is running, each file
 * that begins has a line, so that a long one does not leave the screen empty.
 */
export default class ClosingLineReporter implements Reporter {
  private total = 0;
  private started = 0;

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.total = specifications.length;
    this.started = 0;
  }

  onTestModuleStart(module: TestModule): void {
    if (process.stdout.isTTY) return;
    this.started += 1;
    process.stdout.write(`${startLine(this.started, this.total, module.relativeModuleId)}\n`);
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const line = closingLine(countRun(modules, unhandledErrors, reason));
    // On exit, because other reporters print their own summary after this call.
    process.once("exit", () => writeSync(1, `${line}\n`));
  }
}
