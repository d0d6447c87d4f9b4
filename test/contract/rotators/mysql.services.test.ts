import { Secret } from "../../../shared/core/secrets/secret.ts";
import { mysql } from "../../../shared/rotators/mysql/mysql.ts";
import { type CutProxy, cutProxy } from "../../doubles/cut-proxy.ts";
import { type MysqlSystem, newSecret, startMysqlTarget } from "./mysql-target.ts";
import { testRotator } from "./suite/rotator.suite.ts";
import { awkwardNames } from "./suite/rotator-fixture.ts";

/** The names of both systems end at 32 characters, and have no characters beyond 16 bits. */
const names = [...awkwardNames.map((name) => name.replace(" 😀", "")), "a@b", "back\\", "`tick`?"];

const systems: readonly { system: MysqlSystem; overlaps: boolean }[] = [
  { system: "mysql", overlaps: true },
  { system: "mariadb", overlaps: false },
];

for (const { system, overlaps } of systems) {
  testRotator(`mysql on ${system}`, {
    authorities: ["self", "admin"],
    refuses: true,
    seesSessions: true,
    stays: true,
    losesReplies: true,
    blocks: "named",
    ...(overlaps && { overlaps: true }),
    awkwardNames: names,

    async start() {
      const target = await startMysqlTarget(system);
      const { host, port } = target.server;
      const powerless = { account: "powerless", secret: newSecret() };
      await target.account(powerless.account, powerless.secret.reveal());
      const proxies: CutProxy[] = [];
      const aim = (changed: object = {}) => ({
        rotator: mysql,
        options: target.optionsWith(changed),
      });
      const plain = async () => {
        const proxy = await cutProxy(port);
        proxies.push(proxy);
        return { proxy, aimed: aim({ port: proxy.port, tls: { mode: "disable" } }) };
      };
      const isMysql = system === "mysql";
      return {
        ...target,
        aimed: aim(),
        endpoint: { engine: "mysql", host, port },
        powerless,
        unacceptable: { account: "too_long", secret: new Secret("x".repeat(257)) },
        elsewhere: (at) => aim({ port: at }),
        async block(account) {
          await target.sql("ALTER USER ?@'%' ACCOUNT LOCK", [account]);
          return async () => {
            await target.sql("ALTER USER ?@'%' ACCOUNT UNLOCK", [account]);
          };
        },
        async loseReply() {
          const { proxy, aimed } = await plain();
          proxy.cutAt(isMysql ? "IDENTIFIED BY" : "IDENTIFIED", "carried-out");
          if (!isMysql) proxy.cutAt("SET PASSWORD", "carried-out");
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
              "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for%lock'",
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
    },
  });
}
