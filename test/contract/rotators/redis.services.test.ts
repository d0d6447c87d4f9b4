import { describe } from "vitest";
import { redisSubject } from "./redis-fixture.ts";
import { testRotator } from "./suite/rotator.suite.ts";
import { testOverlap } from "./suite/rotator-overlap.suite.ts";
import { rotatorSteps } from "./suite/rotator-steps.ts";

testRotator("redis on Redis with an ACL file", redisSubject({ system: "redis", users: "aclfile" }));

testRotator(
  "redis on Valkey with a configuration file",
  redisSubject({ system: "valkey", users: "config" }),
);

describe("the rotator redis keeps two passwords", () => {
  const subject = redisSubject({ system: "redis", users: "aclfile", isPlain: true });
  testOverlap(rotatorSteps(subject), subject);
});

describe("the rotator redis keeps two passwords on Valkey", () => {
  const subject = redisSubject({ system: "valkey", users: "config", isPlain: true });
  testOverlap(rotatorSteps(subject), subject);
});
