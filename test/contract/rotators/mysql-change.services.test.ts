import { once } from "node:events";
import { connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import { awkwardSecrets } from "../../../conformance/rotator-fixture.ts";
import {
  ChangeRefusedError,
  ConfigError,
  TargetUnavailableError,
} from "../../../shared/core/errors.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { mysqlBench, self, withNewSecret } from "./mysql-bench.ts";
import { mysqlNames } from "./mysql-fixture.ts";
import { mysqlSystems, newSecret } from "./mysql-target.ts";

const unusual = [
  "--sql-mode=NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT",
  "--character-set-server=gbk",
  "--init-connect=SET NAMES gbk, autocommit=0; SET SESSION TRANSACTION READ ONLY",
];

describe.each(mysqlSystems)("a change on %s", (system) => {
  const bench = mysqlBench(system);
  const { newAccount, apply, works, verify, sql } = bench;

  it("writes no secret to the server's logs", async () => {
    const current = await newAccount();
    const [second, third] = [withNewSecret(current), withNewSecret(current)];
    await sql("TRUNCATE mysql.general_log");
    await apply(second, self(current), { keep: current });
    await apply(third, bench.admin(), { keep: second });
    await bench.discard(third);
    await bench.retire(current.account);
    const rows = await sql("SELECT CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log");
    const texts = rows.map((row) => String(row["text"])).join("\n");
    expect(texts).toMatch(system === "mysql" ? "IDENTIFIED BY <secret>" : "IDENTIFIED VIA");
    for (const { secret } of [current, second, third]) expect(texts).not.toContain(secret.reveal());
  });

  it("changes the account at all hosts", async () => {
    const current = await newAccount();
    await sql("CREATE USER ?@'10.%' IDENTIFIED BY 'x', ?@'127.0.0.1' IDENTIFIED BY 'y'", [
      current.account,
      current.account,
    ]);
    const next = withNewSecret(current);
    await apply(next, bench.admin(), { keep: current });
    expect(await works(next)).toBe(true);
    // The server takes the most specific host, so each one is tried in turn.
    await sql("DROP USER ?@'127.0.0.1'", [current.account]);
    expect(await works(next)).toBe(true);
    await sql("RENAME USER ?@'10.%' TO ?@'127.%'", [current.account, current.account]);
    expect(await works(next)).toBe(true);
  });

  it("changes only the hosts in the options", async () => {
    const current = await newAccount();
    await sql("CREATE USER ?@'127.0.0.1' IDENTIFIED BY ?", [
      current.account,
      current.secret.reveal(),
    ]);
    const next = withNewSecret(current);
    await apply(next, bench.admin(), { options: bench.optionsWith({ hosts: ["%"] }) });
    expect(await works(current)).toBe(true);
    await sql("DROP USER ?@'127.0.0.1'", [current.account]);
    expect(await works(next)).toBe(true);
  });

  it("is refused for a host that does not exist", async () => {
    const current = await newAccount();
    const options = bench.optionsWith({ hosts: ["10.9.9.9"] });
    const change = apply(withNewSecret(current), bench.admin(), { options });
    await expect(change).rejects.toThrow(ChangeRefusedError);
    const { obstacles } = await bench.examine(current.account, bench.admin(), { options });
    expect(obstacles.join()).toContain("CREATE USER");
    expect(obstacles.join()).toContain("'10.9.9.9'");
    expect(await works(current)).toBe(true);
  });

  it("by the account itself changes the host at which it logs in, and no other one", async () => {
    const current = await newAccount();
    const options = bench.optionsWith({ hosts: ["%", "10.%"] });
    const change = apply(withNewSecret(current), self(current), { options });
    await expect(change).rejects.toThrow(/can change only that.*hosts/s);
  });

  it.each(["trailing ", "many 😀", "", "nul\0"])("is refused for the name %j", async (account) => {
    const change = apply({ account, secret: newSecret() });
    await expect(change).rejects.toThrow(ConfigError);
    await expect(verify({ account, secret: newSecret() })).rejects.toThrow(ConfigError);
  });

  it("does not begin on a read-only server", async () => {
    const current = await newAccount();
    await sql("SET GLOBAL read_only = 1");
    try {
      const change = apply(withNewSecret(current));
      await expect(change).rejects.toThrow(TargetUnavailableError);
      await expect(change).rejects.toThrow("read-only");
      await expect(bench.examine(current.account)).rejects.toThrow("read-only");
    } finally {
      await sql("SET GLOBAL read_only = 0");
    }
    expect(await works(current)).toBe(true);
  });

  it("gives an account with an expired password a new one", async () => {
    const current = await newAccount();
    await sql("ALTER USER ?@'%' PASSWORD EXPIRE", [current.account]);
    expect(await verify(current)).toBe("rejected");
    expect((await bench.examine(current.account)).obstacles).toEqual([]);
    const next = withNewSecret(current);
    await apply(next);
    expect(await verify(next)).toBe("accepted");
  });

  it("does not unlock an account", async () => {
    const current = await newAccount();
    await sql("ALTER USER ?@'%' ACCOUNT LOCK", [current.account]);
    const next = withNewSecret(current);
    await apply(next);
    await expect(verify(next)).rejects.toThrow("ACCOUNT UNLOCK");
    await sql("ALTER USER ?@'%' ACCOUNT UNLOCK", [current.account]);
  });

  it("says whether the server is MySQL or MariaDB once it knows, and neither before", async () => {
    const [known, other] = system === "mysql" ? ["MySQL", "MariaDB"] : ["MariaDB", "MySQL"];
    const current = await newAccount();
    const options = bench.optionsWith({ hosts: ["10.9.9.9"] });
    const after = await failure(apply(withNewSecret(current), bench.admin(), { options }));
    expect(after.message).toContain(`${known} at 127.0.0.1:`);
    expect(after.message).not.toContain(other);
    const before = await failure(verify(current, bench.optionsWith({ tls: {} })));
    expect(before.message).toContain("The server at 127.0.0.1:");
    expect(before.message).not.toMatch(/MySQL|MariaDB/);
  });

  it("names the limit that an account has reached", async () => {
    const current = await newAccount();
    await sql("ALTER USER ?@'%' WITH MAX_USER_CONNECTIONS 1", [current.account]);
    const leave = await bench.target.stay(current.account, current.secret.reveal());
    await expect(verify(current)).rejects.toThrow("MAX_USER_CONNECTIONS");
    expect((await bench.examine(current.account)).obstacles.join()).toContain("1 of the 1");
    await leave();
  });

  it("names a certificate that the account must show", async () => {
    const current = await newAccount();
    await sql("ALTER USER ?@'%' REQUIRE X509", [current.account]);
    expect((await bench.examine(current.account)).obstacles.join()).toContain("REQUIRE SSL");
  });

  it("names the hosts of an account that cannot log in from here", async () => {
    const current = await newAccount();
    await sql("RENAME USER ?@'%' TO ?@'10.%'", [current.account, current.account]);
    const [obstacle, ...others] = (await bench.examine(current.account)).obstacles;
    expect(obstacle).toContain("from 127.0.0.1");
    expect(obstacle).toContain("`10.%`");
    expect(others).toEqual([]);
  });

  it("distinguishes an exhausted server from a refused password", async () => {
    const current = await newAccount();
    const [row] = await sql("SELECT @@max_connections AS number");
    await sql("SET GLOBAL max_connections = 10");
    const open = [];
    try {
      for (let left = 12; left > 0; left--) {
        open.push(await bench.target.stay(current.account, current.secret.reveal()).catch(String));
      }
      await expect(verify(current)).rejects.toThrow("max_connections");
      await expect(apply(withNewSecret(current))).rejects.toThrow(TargetUnavailableError);
    } finally {
      for (const leave of open) if (typeof leave !== "string") await leave();
      await sql("SET GLOBAL max_connections = ?", [row?.["number"]]);
    }
    expect(await verify(current)).toBe("accepted");
  });

  it("refuses a server whose certificate is from another authority", async () => {
    const current = await newAccount();
    const { message } = await failure(verify(current, bench.optionsWith({ tls: {} })));
    expect(message).toContain("options.tls.caFile");
  });

  it("refuses a server whose certificate is for another address", async () => {
    const current = await newAccount();
    const forward = createServer((client) => {
      const server = connect(bench.target.server.port, "127.0.0.1");
      client.on("error", () => server.destroy()).on("close", () => server.destroy());
      server.on("error", () => client.destroy()).on("close", () => client.destroy());
      client.pipe(server).pipe(client);
    });
    forward.listen(0, "127.0.0.2");
    await once(forward, "listening");
    const address = forward.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const options = bench.optionsWith({ host: "127.0.0.2", port });
    const { message } = await failure(verify(current, options));
    expect(message).toContain("the certificate of the server is for another name");
    forward.close();
  });

  it("refuses an account that logs in through the operating system", async () => {
    if (system === "mysql") await sql("INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'");
    const plugin = system === "mysql" ? "auth_socket" : "unix_socket";
    await sql(`CREATE USER by_socket@'%' IDENTIFIED WITH ${plugin}`);
    const account = { account: "by_socket", secret: newSecret() };
    await expect(verify(account)).rejects.toThrow(ConfigError);
    await expect(apply(account)).rejects.toThrow(/no password that Keyturn can change/);
    expect((await bench.examine("by_socket")).obstacles.join()).toContain(plugin);
  });
});

describe.each(mysqlSystems)("a change on %s with unusual settings", (system) => {
  const bench = mysqlBench(system, unusual);

  it.each(mysqlNames)("changes the account named %j", async (name) => {
    await bench.sql("SET SESSION sql_mode = ''");
    const current = await bench.newAccount(name);
    for (const secret of [...awkwardSecrets, "縗\\' OR 1=1 -- "]) {
      const next = { account: name, secret: new Secret(secret) };
      await bench.apply(next, bench.admin());
      expect(await bench.verify(next)).toBe("accepted");
      expect(await bench.works(next)).toBe(true);
    }
    expect(await bench.works(current)).toBe(false);
  });
});
