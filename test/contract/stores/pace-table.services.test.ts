import { afterAll, beforeAll, expect, test } from "vitest";
import { makeSharedPace } from "../../../shared/stores/shared-pace.ts";
import { makeTablePace } from "../../../shared/stores/table/table-pace.ts";
import { azuriteTables } from "../../stores/azurite-tables.ts";
import { testLimiter } from "./limiter.suite.ts";
import { testPace } from "./pace.suite.ts";

let tables: Awaited<ReturnType<typeof azuriteTables>>;
beforeAll(async () => {
  tables = await azuriteTables();
});
afterAll(async () => {
  await tables.close();
});

const open = (connectionString: string) => makeTablePace({ connectionString }, "journal");

testLimiter("in a table", () =>
  makeTablePace({ connectionString: tables.connectionString }, "journal", { partition: "limits" }),
);

testPace("in a table", () => open(tables.connectionString));

test("The pace permits every version while the table cannot be reached", async () => {
  const nowhere = tables.connectionString.replace(
    /TableEndpoint=[^;]+/,
    "TableEndpoint=http://127.0.0.1:9/x",
  );
  const store = makeTablePace({ connectionString: nowhere }, "journal", { deadline: 500 });
  const pace = makeSharedPace(
    store,
    () => 10,
    () => new Date(),
  );
  expect(await pace.take("main", 10, 0)).toBe(0);
});
