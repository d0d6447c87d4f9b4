import { randomBytes } from "node:crypto";
import { escapeIdentifier } from "pg";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { postgresql } from "../../../shared/rotators/postgresql/postgresql.ts";
import { type CutProxy, cutProxy } from "../../doubles/cut-proxy.ts";
import { startPostgresqlTarget } from "./postgresql-target.ts";
import { testRotator } from "./suite/rotator.suite.ts";

testRotator("postgresql", {
  authorities: ["self", "admin", "identity"],
  refuses: true,
  seesSessions: true,
  stays: true,
  losesReplies: true,
  blocks: "named",
  trusts: true,

  async start() {
    const target = await startPostgresqlTarget();
    const { host, port, caFile, admin } = target;
    const database = "postgres";
    const powerless = { account: "powerless", secret: new Secret(randomBytes(24).toString("hex")) };
    await target.account(powerless.account, powerless.secret.reveal());
    // Refuses a verifier of the account's own name: all that it can find out about one.
    await target.sql("ALTER SYSTEM SET session_preload_libraries = 'passwordcheck'");
    await target.sql("SELECT pg_reload_conf()");

    const proxies: CutProxy[] = [];
    const aim = (at: number, tls: object = { mode: "verify-full", caFile }) => ({
      rotator: postgresql,
      options: postgresql.options.parse({
        host,
        port: at,
        database,
        identityAccount: "entra_admin",
        tls,
      }),
    });
    return {
      ...target,
      aimed: aim(port),
      endpoint: { engine: "postgresql", host, port, database },
      admin,
      powerless,
      unacceptable: { account: "same_as_secret", secret: new Secret("same_as_secret") },
      elsewhere: (at) => aim(at),
      async block(account) {
        const role = escapeIdentifier(account);
        await target.sql(`ALTER ROLE ${role} NOLOGIN`);
        return async () => {
          await target.sql(`ALTER ROLE ${role} LOGIN`);
        };
      },
      snapshot: () => target.sql("SELECT * FROM pg_authid ORDER BY oid"),
      async loseReply() {
        const proxy = await cutProxy(port);
        proxies.push(proxy);
        proxy.cutAt("COMMIT\0", "carried-out");
        return aim(proxy.port, { mode: "disable" });
      },
      async stop() {
        await Promise.all(proxies.map((proxy) => proxy.close()));
        await target.stop();
      },
    };
  },
});
