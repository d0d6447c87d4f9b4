import { expect, test } from "vitest";
import { describeUses } from "../servers/report/table.ts";
import type { Use } from "../servers/report/uses.ts";

const uses: readonly Use[] = [
  { file: "/p/test/mysql.test.ts", system: "mysql", kind: "real", version: "9.7.4" },
  { file: "/p/test/mysql.test.ts", system: "mysql", kind: "real", version: "9.7.4" },
  { file: "/p/test/mysql.test.ts", system: "mysql", kind: "double" },
  { file: "/p/test/more.test.ts", system: "mysql", kind: "real", version: "9.7.4" },
  { file: "/p/test/slow.test.ts", system: "mysql", kind: "own", version: "8.4.3" },
  { file: "/p/test/services/servers.test.ts", system: "mysql", kind: "real", version: "8.0.1" },
  { file: "/p/test/faults.test.ts", system: "mysql", kind: "double" },
  { file: "/p/test/tds.test.ts", system: "sqlserver", kind: "double" },
  { file: "/p/test/doubles/mongodb.test.ts", system: "mongodb", kind: "double" },
];

test("The table has each system of the run with the files of each version, files that met a double only, and what is not tested", () => {
  expect(describeUses(uses, "/p")).toEqual([
    "Database servers of this run:",
    "  MySQL       real 8.4.3 of your own (1 file), 9.7.4 (2 files)",
    "              double only: test/faults.test.ts",
    "              not tested: 8.0, a server that checks Entra tokens",
    "  SQL Server  double only: test/tds.test.ts",
    "              not tested: SQL Server, Azure SQL Database and Managed Instance",
  ]);
});

test("A run without servers has no table", () => {
  expect(describeUses([], "/p")).toEqual([]);
  expect(describeUses(uses.slice(-1), "/p")).toEqual([]);
});
