import { mysqlSubject, startMysqlFixture } from "./mysql-fixture.ts";
import { testRotator } from "./suite/rotator.suite.ts";

testRotator("mysql on MySQL", {
  ...mysqlSubject,
  overlaps: true,
  start: () => startMysqlFixture("mysql"),
});

testRotator("mysql on MariaDB", { ...mysqlSubject, start: () => startMysqlFixture("mariadb") });

testRotator("mysql on newer MariaDB", {
  ...mysqlSubject,
  start: () => startMysqlFixture("newer mariadb"),
});
