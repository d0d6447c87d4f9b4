import { testRotator } from "../../../conformance/rotator.suite.ts";
import { withoutRepeats } from "../../servers/own.ts";
import { mysqlSubject, startMysqlFixture } from "./mysql-fixture.ts";
import { mysqlSystems, systemOf } from "./mysql-target.ts";

const kinds = withoutRepeats(mysqlSystems.map((name) => ({ name, system: systemOf(name) })));

for (const { name, system } of kinds) {
  testRotator(`mysql on ${name}`, {
    ...mysqlSubject,
    ...(system === "mysql" && { overlaps: true }),
    start: () => startMysqlFixture(name),
  });
}
