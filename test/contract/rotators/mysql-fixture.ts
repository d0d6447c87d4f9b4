import { connect } from "node:net";
import { type CutProxy, cutProxy } from "../../../conformance/faults/cut-proxy.ts";
import { awkwardNames, type Fixture, type Subject } from "../../../conformance/rotator-fixture.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { mysql, type MysqlOptions } from "../../../shared/rotators/mysql/mysql.ts";
import { isOwn } from "../../servers/own.ts";
import { type MysqlSystem, newSecret, systemOf, useMysqlTarget } from "./mysql-target.ts";

/** The names of both systems end at 32 characters, and have no characters beyond 16 bits. */
export const mysqlNames = [
  ...awkwardNames.map((name) => name.replace(" 😀", "")),
  "a@b",
  "back\\",
  "`tick`?",
];

/** What the contract suite needs, with rights for the admin. Default: those of the documentation. */
export async function startMysqlFixture(
  system: MysqlSystem,
  rights?: readonly string[],
): Promise<Fixture<MysqlOptions>> {
  const target = await useMysqlTarget(system, rights);
  const { host, port } = target.server;
  const powerless = { account: "powerless", secret: newSecret() };
  await target.account(powerless.account, powerless.secret.reveal());
  const proxies: CutProxy[] = [];
  const aim = (changed: object = {}) => ({
    rotator: mysql,
    options: target.optionsWith({ identityAccount: "entra_admin", ...changed }),
  });
  const plain = async () => {
    const proxy = await cutProxy(() => connect({ host, port }));
    proxies.push(proxy);
    const at = { host: "127.0.0.1", port: proxy.port };
    return { proxy, aimed: aim({ ...at, tls: { mode: "disable" } }) };
  };
  return {
    ...target,
    aimed: aim(),
    endpoint: { engine: "mysql", host, port },
    ...(isOwn(systemOf(system)) && { line: plain }),
    powerless,
    identity: await target.identity("entra_admin"),
    unacceptable: { account: "too_long", secret: new Secret("x".repeat(257)) },
    ...(!isOwn(systemOf(system)) && { distrusted: () => aim({ tls: {} }) }),
    async traits(account) {
      const grants = await target.sql("SHOW GRANTS FOR ?@'%'", [account]);
      // MariaDB shows the hash of the password.
      return grants.map((row) =>
        JSON.stringify(row).replace(/ IDENTIFIED BY PASSWORD '[^']*'/, ""),
      );
    },
    elsewhere: (at) => aim({ host: "127.0.0.1", port: at }),
    async block(account) {
      await target.sql("ALTER USER ?@'%' ACCOUNT LOCK", [account]);
      return async () => {
        await target.sql("ALTER USER ?@'%' ACCOUNT UNLOCK", [account]);
      };
    },
    async loseReply() {
      const { proxy, aimed } = await plain();
      // The account changes itself: the first authority of the suite.
      proxy.cutAt(system === "mysql" ? "IDENTIFIED BY" : "SET PASSWORD", "carried-out");
      return aimed;
    },
    overlap: {
      async permit(account) {
        await target.sql("GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ?@'%'", [account]);
      },
      async hold(account, [first = "", second]) {
        await target.account(account, second ?? first);
        if (second === undefined) return;
        await target.sql("ALTER USER ?@'%' IDENTIFIED BY ? RETAIN CURRENT PASSWORD", [
          account,
          first,
        ]);
      },
      async pause() {
        const blocker = await target.connect();
        await blocker.query("FLUSH TABLES WITH READ LOCK");
        return () => blocker.end();
      },
      async waiting() {
        const rows = await target.sql(
          "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE STATE = 'Waiting for global read lock'",
        );
        return rows.map(({ id }) => Number(id));
      },
      plain,
      statements: [
        "SET SESSION autocommit",
        "SHOW GRANTS",
        "GET_LOCK",
        "IDENTIFIED BY",
        "RETAIN",
        "DISCARD",
        "RELEASE_LOCK",
      ],
    },
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await target.stop();
    },
  };
}

/** What both systems can do. */
export const mysqlSubject: Omit<Subject<MysqlOptions>, "start"> = {
  authorities: ["self", "admin", "identity"],
  refuses: true,
  seesSessions: true,
  stays: true,
  losesReplies: true,
  blocks: "named",
  awkwardNames: mysqlNames,
};
