import { testRotator } from "../../../conformance/rotator.suite.ts";
import { awkwardNames, type Fixture, type Subject } from "../../../conformance/rotator-fixture.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { azureSql, type AzureSqlOptions } from "../../../shared/rotators/azure-sql/azure-sql.ts";
import { toKey } from "../../doubles/tds/model.ts";
import type { TdsEdition } from "../../doubles/tds/server.ts";
import { type AzureSqlBench, database, startAzureSqlBench } from "./azure-sql-bench.ts";

/** A backslash belongs to names of Windows accounts, and SQL Server refuses it in others. */
const names = [
  ...awkwardNames.map((name) => name.replaceAll("\\", "/")),
  "[brackets]",
  "a]] or 'b",
  "x]; ALTER LOGIN [bystander] DISABLE; --",
  "ü".repeat(128),
];

const secrets = [
  `Aa1'"\\'"\\\``,
  "Aa1 100% $1 ${x} {0} %s %%",
  "Aa1'; ALTER LOGIN [bystander] DISABLE; --",
  "Aa1@:/?#[]&=+;,",
  " Aa1 leading and trailing ",
  "Aa1-ünï-€-用户-😀",
  `Aa1${"'".repeat(125)}`,
];

/** What the accounts are, and how one is blocked. */
interface Kind {
  readonly edition: TdsEdition;
  readonly options?: object;
  create(bench: AzureSqlBench, name: string, secret: string): void;
  setBlocked(bench: AzureSqlBench, name: string, isBlocked: boolean): void;
}

const logins: Omit<Kind, "edition"> = {
  create: (bench, name, secret) => {
    bench.login(name, secret);
  },
  setBlocked({ tds }, name, locked) {
    Object.assign(tds.inspection.world.logins.get(toKey(name)) ?? {}, { locked });
  },
};

const containedUsers: Omit<Kind, "edition"> = {
  create: (bench, name, secret) => {
    bench.containedUser(name, secret);
  },
  setBlocked({ tds }, name, isBlocked) {
    const users = tds.inspection.world.databases.get(database)?.users;
    Object.assign(users?.get(toKey(name)) ?? {}, { connect: isBlocked ? "denied" : "granted" });
  },
};

async function startFixture(kind: Kind): Promise<Fixture<AzureSqlOptions>> {
  const bench = await startAzureSqlBench(kind.edition);
  const { tds } = bench;
  const options = bench.optionsWith(kind.options);
  const aimed = { rotator: azureSql, options };
  const at = (account: string, isBlocked: boolean) => {
    kind.setBlocked(bench, account, isBlocked);
    return Promise.resolve();
  };
  return {
    aimed,
    endpoint: { engine: "sqlserver", host: "localhost", port: tds.port, database },
    admin: bench.admin,
    powerless: bench.powerless,
    identity: bench.identity,
    unacceptable: { account: "simple", secret: new Secret("simple") },
    account: (name, secret) => {
      kind.create(bench, name, secret);
      return Promise.resolve();
    },
    logsIn: (account, secret) => bench.logsIn(account, secret),
    stay: (account, secret) => bench.stay(account, secret),
    snapshot: () => Promise.resolve(bench.snapshot()),
    openConnections: () => Promise.resolve(tds.inspection.connections.open),
    logIns: () => Promise.resolve(tds.inspection.logins.length),
    elsewhere: (port) => ({ rotator: azureSql, options: { ...options, port } }),
    distrusted: () => ({
      rotator: azureSql,
      options: bench.optionsWith({ ...kind.options, tls: {} }),
    }),
    loseReply: () => {
      tds.faults.on("set-password", { do: "lost-reply-after-effect" });
      return Promise.resolve(aimed);
    },
    async block(account) {
      await at(account, true);
      return () => at(account, false);
    },
    stop: () => bench.close(),
  };
}

const common: Omit<Subject<AzureSqlOptions>, "start"> = {
  authorities: ["self", "admin", "identity"],
  refuses: true,
  losesReplies: true,
  stays: true,
  seesSessions: true,
  awkwardNames: names,
  awkwardSecrets: secrets,
};

testRotator("azure-sql, logins of SQL Server", {
  ...common,
  blocks: "named",
  start: () => startFixture({ edition: "sql-server", ...logins }),
});

testRotator("azure-sql, contained users of SQL Server in mandatory encryption", {
  ...common,
  blocks: "unnamed",
  start: async () => {
    const fixture = await startFixture({ edition: "sql-server", ...containedUsers });
    const { options } = fixture.aimed;
    const mandatory = { ...options, tls: { ...options.tls, mode: "mandatory" as const } };
    return {
      ...fixture,
      aimed: { rotator: azureSql, options: mandatory },
      elsewhere: (port) => ({ rotator: azureSql, options: { ...mandatory, port } }),
    };
  },
});

testRotator("azure-sql, logins of Azure SQL Database", {
  ...common,
  blocks: "named",
  // The database of the options, and master.
  logInsOfAuthority: 2,
  start: () => startFixture({ edition: "azure-sql-database", ...logins }),
});

testRotator("azure-sql, contained users of Azure SQL Database", {
  ...common,
  blocks: "unnamed",
  start: () =>
    startFixture({
      edition: "azure-sql-database",
      options: { contained: true },
      ...containedUsers,
    }),
});
