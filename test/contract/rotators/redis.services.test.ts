import { describe } from "vitest";
import { testOverlap } from "../../../conformance/clauses/rotator-overlap.suite.ts";
import { testRotator } from "../../../conformance/rotator.suite.ts";
import { rotatorSteps } from "../../../conformance/rotator-steps.ts";
import { withoutRepeats } from "../../servers/own.ts";
import { type Kind, redisSubject } from "./redis-fixture.ts";

const kinds = withoutRepeats<Kind>([
  { system: "redis", server: "redis", users: "aclfile" },
  { system: "redis", server: "newer redis", users: "aclfile" },
  { system: "valkey", server: "valkey", users: "config" },
]);

for (const kind of kinds) {
  testRotator(`redis on ${kind.server}, users in its ${kind.users}`, redisSubject(kind));
}

// The rules for lost lines take most of the time, and no release of Redis differs in them.
const systems = kinds.filter(({ server }) => server !== "newer redis");

describe.each(systems)("the rotator redis keeps two passwords on $server", (kind) => {
  const subject = redisSubject(kind, true);
  testOverlap(rotatorSteps(subject), subject);
});
