import { testAdmin } from "./azure-admin.suite.ts";
import { startDocumentDbPlane, startSqlPlane } from "./azure-admin-bench.ts";

testAdmin("sql-server", startSqlPlane);
testAdmin("sql-managed-instance", startSqlPlane);
testAdmin("documentdb", startDocumentDbPlane);
