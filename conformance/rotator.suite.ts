import { afterAll, afterEach, describe, type RunnerTestCase } from "vitest";
import { testChange } from "./clauses/rotator-change.suite.ts";
import { testExamination } from "./clauses/rotator-examine.suite.ts";
import { testFaults } from "./clauses/rotator-faults.suite.ts";
import { testOptions } from "./clauses/rotator-options.suite.ts";
import { testOverlap } from "./clauses/rotator-overlap.suite.ts";
import { testLostReply, testRefusal } from "./clauses/rotator-refusal.suite.ts";
import { testRetire } from "./clauses/rotator-retire.suite.ts";
import { testSessions } from "./clauses/rotator-sessions.suite.ts";
import { testStaying } from "./clauses/rotator-stay.suite.ts";
import { testTrust } from "./clauses/rotator-trust.suite.ts";
import { testUnreachable } from "./clauses/rotator-unreachable.suite.ts";
import { testVerify } from "./clauses/rotator-verify.suite.ts";
import { type ClauseReport, judge, type RotatorReport } from "./report.ts";
import {
  awkwardNames,
  type Fixture,
  has,
  type Subject,
  type SubjectFacts,
} from "./rotator-fixture.ts";
import { type RotatorSteps, rotatorSteps } from "./rotator-steps.ts";

/** One part of the contract, and the tests that try it. */
interface Clause {
  readonly name: string;
  /** Why the tests do not apply to this subject. */
  readonly findObstacle?: (subject: SubjectFacts) => string | undefined;
  /** What the fixture lacks for the tests, which then are skipped. */
  readonly findGap?: <Options>(fixture: Fixture<Options>) => string | undefined;
  readonly test: <Options>(steps: RotatorSteps<Options>, subject: Subject<Options>) => void;
}

const unless = (applies: boolean, why: string) => (applies ? undefined : why);

const clauses: readonly Clause[] = [
  { name: "describes itself and its options", test: testOptions },
  { name: "changes a secret, and nothing else", test: testChange },
  { name: "proves a secret by a log-in", test: testVerify },
  {
    name: "retires an account",
    findObstacle: (subject) =>
      unless(has(subject, "retire"), "`lacks` names retire, or no admin is an authority"),
    test: testRetire,
  },
  {
    name: "leaves the old secret when the new one is refused",
    findObstacle: ({ refuses }) => unless(refuses === true, "`refuses` is not set"),
    test: testRefusal,
  },
  {
    name: "does not know the outcome without a reply",
    findObstacle: ({ losesReplies }) => unless(losesReplies === true, "`losesReplies` is not set"),
    test: testLostReply,
  },
  {
    name: "examines an account and its authority",
    findObstacle: (subject) => unless(has(subject, "examine"), "`lacks` names examine"),
    test: testExamination,
  },
  {
    name: "keeps the published secret beside the new one",
    findObstacle: ({ overlaps }) => unless(overlaps === true, "`overlaps` is not set"),
    test: testOverlap,
  },
  {
    name: "keeps log-ins for the next call",
    findObstacle: ({ stays }) => unless(stays === true, "`stays` is not set"),
    test: testStaying,
  },
  {
    name: "sees who is logged in",
    findObstacle: ({ seesSessions }) => unless(seesSessions === true, "`seesSessions` is not set"),
    test: (steps, subject) => {
      testSessions(steps, subject.awkwardNames ?? awkwardNames);
    },
  },
  {
    name: "verifies the server",
    findGap: ({ distrusted }) =>
      unless(distrusted !== undefined, "the fixture has no `distrusted`"),
    test: testTrust,
  },
  { name: "stops waiting for a target that cannot be reached", test: testUnreachable },
  {
    name: "survives a line that fails",
    findObstacle: ({ hasLine }) => unless(hasLine === true, "`hasLine` is not set"),
    test: testFaults,
  },
];

/**
 * One suite for every rotator. It checks results from outside, with log-ins of the plain client. `onReport` gets a report at the end: which
 * clauses of the contract were tried, passed, or did not apply.
 */
export function testRotator<Options>(
  name: string,
  subject: Subject<Options>,
  { onReport }: { readonly onReport?: (report: RotatorReport) => void } = {},
): void {
  describe(`the rotator ${name}`, () => {
    const steps = rotatorSteps(subject);
    const found = clauses.map((clause) => testClause(clause, steps, subject));
    afterAll(() => {
      onReport?.({ rotator: name, clauses: found.map((read) => read()) });
    });
  });
}

/** Returns a function that reads the result of the clause, once its tests have run. */
function testClause<Options>(
  { name, findObstacle, findGap, test }: Clause,
  steps: RotatorSteps<Options>,
  subject: Subject<Options>,
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
    const gap = tests.size > 0 ? findGap?.(steps.fixture) : undefined;
    return gap === undefined ? report : { ...report, result: "not tried", why: gap };
  };
}
