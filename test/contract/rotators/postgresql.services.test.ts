import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { escapeIdentifier } from "pg";
import { type CutProxy, cutProxy } from "../../../conformance/faults/cut-proxy.ts";
import { testRotator } from "../../../conformance/rotator.suite.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { postgresql } from "../../../shared/rotators/postgresql/postgresql.ts";
import { isOwn } from "../../servers/own.ts";
import { usePostgresqlTarget } from "./postgresql-target.ts";

/** Log-ins with a token or without a password take lines in pg_hba.conf, which stay as they are on a server of a person. */
const byRules = isOwn("postgresql")
  ? ({ authorities: ["self", "admin"], lacksTokens: true } as const)
  : ({ authorities: ["self", "admin", "identity"], trusts: true } as const);

testRotator("postgresql", {
  ...byRules,
  refuses: true,
  seesSessions: true,
  stays: true,
  losesReplies: true,
  hasLine: true,
  blocks: "named",

  async start() {
    const target = await usePostgresqlTarget();
    const { host, port, caFile, admin } = target;
    const database = "postgres";
    const powerless = { account: "powerless", secret: new Secret(randomBytes(24).toString("hex")) };
    await target.account(powerless.account, powerless.secret.reveal());
    // Refuses a verifier of the account's own name: all that it can find out about one.
    await target.sql("ALTER SYSTEM SET session_preload_libraries = 'passwordcheck'");
    await target.sql("SELECT pg_reload_conf()");

    const proxies: CutProxy[] = [];
    const aim = (changed: object = {}) => ({
      rotator: postgresql,
      options: postgresql.options.parse({
        ...{ host, port, database, identityAccount: "entra_admin" },
        tls: { mode: "verify-full", caFile },
        ...changed,
      }),
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
      ...(isOwn("postgresql") && { line: plain }),
      endpoint: { engine: "postgresql", host, port, database },
      admin,
      powerless,
      unacceptable: { account: "same_as_secret", secret: new Secret("same_as_secret") },
      ...(!isOwn("postgresql") && { distrusted: () => aim({ tls: { mode: "verify-full" } }) }),
      traits: (account) => target.sql("SELECT * FROM pg_roles WHERE rolname = $1", [account]),
      elsewhere: (at) => aim({ host: "127.0.0.1", port: at }),
      async block(account) {
        const role = escapeIdentifier(account);
        await target.sql(`ALTER ROLE ${role} NOLOGIN`);
        return async () => {
          await target.sql(`ALTER ROLE ${role} LOGIN`);
        };
      },
      snapshot: () => target.sql("SELECT * FROM pg_authid ORDER BY oid"),
      async loseReply() {
        const { proxy, aimed } = await plain();
        proxy.cutAt("COMMIT\0", "carried-out");
        return aimed;
      },
      async stop() {
        await Promise.all(proxies.map((proxy) => proxy.close()));
        await target.sql("ALTER SYSTEM RESET session_preload_libraries");
        await target.stop();
      },
    };
  },
});
