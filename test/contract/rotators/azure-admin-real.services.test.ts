import { testAdmin } from "./azure-admin.suite.ts";
import { startMysqlTarget } from "./mysql-target.ts";
import { startPostgresqlTarget } from "./postgresql-target.ts";

testAdmin("postgresql", async () => {
  const target = await startPostgresqlTarget();
  const { host, port, caFile } = target;
  return {
    ...{ host, port, caFile },
    endpoint: { engine: "postgresql", host, port, database: "postgres" },
    setPassword: (account, secret) => target.account(account, secret),
    snapshot: () => target.sql("SELECT * FROM pg_authid ORDER BY oid"),
    logsIn: (account, secret) => target.logsIn(account, secret),
    logIns: () => target.logIns(),
    openConnections: () => target.openConnections(),
    stop: () => target.stop(),
  };
});

testAdmin("mysql", async () => {
  const target = await startMysqlTarget("mysql");
  const { host, port, caFile } = target.server;
  return {
    ...{ host, port, caFile },
    endpoint: { engine: "mysql", host, port },
    setPassword: (account, secret) => target.account(account, secret),
    snapshot: () => target.snapshot(),
    logsIn: (account, secret) => target.logsIn(account, secret),
    logIns: () => target.logIns(),
    openConnections: () => target.openConnections(),
    stop: () => target.stop(),
  };
});
