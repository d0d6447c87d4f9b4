import { describe } from "vitest";
import { testOverlap } from "../../../conformance/clauses/rotator-overlap.suite.ts";
import { rotatorSteps } from "../../../conformance/rotator-steps.ts";
import { mysqlSubject, startMysqlFixture } from "./mysql-fixture.ts";

/** Without the right to read what the server stores, Keyturn cannot see which of two passwords is first. */
describe("the rotator mysql with an admin that may only create users", () => {
  const subject = {
    ...mysqlSubject,
    authorities: ["admin"] as const,
    start: () => startMysqlFixture("mysql", ["CREATE USER ON *.*"]),
  };
  testOverlap(rotatorSteps(subject), subject);
});
