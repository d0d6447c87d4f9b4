import { testRotator } from "../../../conformance/rotator.suite.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { administrator, startAzureSqlBench } from "./azure-sql-server-bench.ts";

testRotator("azure-sql-server", {
  authorities: ["identity"],
  onlyAccount: administrator,
  refuses: true,
  losesReplies: true,
  awkwardSecrets: [
    `Aa1'"\\'"\\\``,
    "Aa1 100% $1 ${x} {0} %s %%",
    "Aa1'; DROP LOGIN bystander; --",
    "Aa1@:/?#[]&=+;,",
    " Aa1 leading and trailing ",
    "Aa1-ünï-€-用户-😀",
    `Aa1${"x".repeat(125)}`,
  ],

  async start() {
    const bench = await startAzureSqlBench({ hostile: true }, { hostile: true });
    const { arm, tds } = bench;
    const rotator = bench.rotator();
    let last = "";
    return {
      aimed: { rotator, options: bench.optionsWith() },
      endpoint: { engine: "sqlserver", host: "localhost", port: tds.port, database: "master" },
      unacceptable: { account: administrator, secret: new Secret("simple") },
      account: (name, secret) => {
        tds.setPassword(name, secret);
        last = secret;
        return Promise.resolve();
      },
      logsIn: (account, secret) => bench.logsIn(account, secret),
      snapshot: () =>
        Promise.resolve({
          landed: arm.inspection.landed("sql-orders"),
          isOurs: tds.inspection.accepts(administrator, last),
        }),
      logIns: () => Promise.resolve(tds.inspection.logins.length),
      openConnections: () => Promise.resolve(bench.openConnections()),
      elsewhere: (port) => ({
        rotator,
        options: bench.optionsWith({ port, resourceManager: `https://localhost:${port}` }),
      }),
      loseReply: () => {
        arm.faults.on("patch", { do: "lost-reply-after-effect" });
        return Promise.resolve({ rotator, options: bench.optionsWith() });
      },
      stop: () => bench.close(),
    };
  },
});
