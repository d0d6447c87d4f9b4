import { testChange } from "./clauses/rotator-change.suite.ts";
import { testExamination } from "./clauses/rotator-examine.suite.ts";
import { testFaults } from "./clauses/rotator-faults.suite.ts";
import { testOptions } from "./clauses/rotator-options.suite.ts";
import { testOverlap } from "./clauses/rotator-overlap.suite.ts";
import { testLostReply, testRefusal } from "./clauses/rotator-refusal.suite.ts";
import { testRetire } from "./clauses/rotator-retire.suite.ts";
import { testSessions } from "./clauses/rotator-sessions.suite.ts";
import { testStaying } from "./clauses/rotator-stay.suite.ts";
import { noDistrusted, testTrust } from "./clauses/rotator-trust.suite.ts";
import { testUnreachable } from "./clauses/rotator-unreachable.suite.ts";
import { testVerify } from "./clauses/rotator-verify.suite.ts";
import { awkwardNames, has, type Subject, type SubjectFacts } from "./rotator-fixture.ts";
import type { RotatorSteps } from "./rotator-steps.ts";
import { type Clause, unless } from "./run-clauses.ts";

/** A clause tries rotators with any options. */
interface RotatorClause extends Omit<Clause<never, SubjectFacts>, "test" | "findGap"> {
  readonly findGap?: <Options>(steps: RotatorSteps<Options>) => string | undefined;
  readonly test: <Options>(steps: RotatorSteps<Options>, subject: Subject<Options>) => void;
}

/** The clauses for systems whose secrets Keyturn chooses. */
export const rotatorClauses: readonly RotatorClause[] = [
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
    findGap: ({ fixture }) => unless(fixture.distrusted !== undefined, noDistrusted),
    test: testTrust,
  },
  { name: "stops waiting for a target that cannot be reached", test: testUnreachable },
  {
    name: "survives a line that fails",
    findObstacle: ({ hasLine }) => unless(hasLine === true, "`hasLine` is not set"),
    test: testFaults,
  },
];
