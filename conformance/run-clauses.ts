import { afterEach, describe, type RunnerTestCase } from "vitest";
import { type ClauseReport, judge } from "./report.ts";

/** One part of the contract, and the tests that try it. */
export interface Clause<Steps, Subject> {
  readonly name: string;
  /** Why the tests do not apply to this subject. */
  readonly findObstacle?: (subject: Subject) => string | undefined;
  /** What the fixture lacks for the tests, which then are skipped. */
  readonly findGap?: (steps: Steps) => string | undefined;
  readonly test: (steps: Steps, subject: Subject) => void;
}

export const unless = (applies: boolean, why: string) => (applies ? undefined : why);

/** Defines the tests of the clauses. Returns a function that reads the results, once the tests have run. */
export function testClauses<Steps, Subject>(
  clauses: readonly Clause<Steps, Subject>[],
  steps: Steps,
  subject: Subject,
): () => readonly ClauseReport[] {
  const found = clauses.map((clause) => testClause(clause, steps, subject));
  return () => found.map((read) => read());
}

function testClause<Steps, Subject>(
  { name, findObstacle, findGap, test }: Clause<Steps, Subject>,
  steps: Steps,
  subject: Subject,
): () => ClauseReport {
  const why = findObstacle?.(subject);
  if (why !== undefined) {
    return () => ({ clause: name, result: "not applicable", tried: 0, failed: 0, why });
  }
  const tests = new Set<RunnerTestCase>();
  describe(name, () => {
    afterEach(({ task }) => {
      tests.add(task);
    });
    test(steps, subject);
  });
  return () => {
    const report = judge(name, tests);
    const gap = tests.size > 0 ? findGap?.(steps) : undefined;
    return gap === undefined ? report : { ...report, result: "not tried", why: gap };
  };
}
