import { rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listen } from "../../../conformance/faults/listening.ts";
import {
  AccountBlockedError,
  ChangeRefusedError,
  ConfigError,
  TargetUnavailableError,
} from "../../../shared/core/errors.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { postgresql } from "../../../shared/rotators/postgresql/postgresql.ts";
import { postgresqlBench, self, withNewSecret } from "./postgresql-bench.ts";

const bench = postgresqlBench();

const isKeptOut =
  ({ account }: Credential) =>
  () =>
    bench.target.logsIn(account, "wrong").then(
      () => false,
      () => true,
    );

describe("a failed log-in to PostgreSQL", () => {
  it.each([
    ["a secret past its time", "VALID UNTIL '2001-01-01'"],
    ["an account without a secret", "PASSWORD NULL"],
  ])("%s is rejected", async (_, change) => {
    const current = await bench.newAccount();
    await bench.target.sql(`ALTER ROLE ${current.account} ${change}`);
    expect(await bench.verify(current)).toBe("rejected");
    await expect(bench.apply(withNewSecret(current), self(current))).rejects.toBeInstanceOf(
      ChangeRefusedError,
    );
  });

  it("proves nothing about the secret when the account is at its connection limit", async () => {
    const current = await bench.newAccount();
    await bench.target.sql(`ALTER ROLE ${current.account} CONNECTION LIMIT 0`);
    const failed = bench.verify(current);
    await expect(failed).rejects.toBeInstanceOf(AccountBlockedError);
    await expect(failed).rejects.toThrow("SQLSTATE 53300");
    await expect(failed).rejects.toThrow("CONNECTION LIMIT");
  });

  it("does not blame an account when the server has no free connection", async () => {
    const current = await bench.newAccount();
    const [row] = await bench.target.sql("SHOW max_connections");
    const reserved = 3;
    const taken = Number(row?.["max_connections"]) - reserved - 1;
    const others = await Promise.all(Array.from({ length: taken }, () => bench.target.connect()));
    const error = await bench.verify(current).catch((failed: unknown) => failed);
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error).not.toBeInstanceOf(AccountBlockedError);
    expect(String(error)).toContain("SQLSTATE 53300");
    await Promise.all(others.map((other) => other.end()));
  });

  it("proves nothing about the secret when pg_hba.conf refuses the account", async () => {
    const current = await bench.newAccount();
    const undo = await bench.target.rule(
      `host all ${current.account} 127.0.0.1/32 reject`,
      isKeptOut(current),
    );
    const failed = bench.verify(current);
    await expect(failed).rejects.toBeInstanceOf(AccountBlockedError);
    await expect(failed).rejects.toThrow("pg_hba.conf");
    await undo();
  });

  it("is a mistake in the options when the database does not exist", async () => {
    const failed = bench.verify(
      await bench.newAccount(),
      bench.optionsWith({ database: "missing" }),
    );
    await expect(failed).rejects.toBeInstanceOf(ConfigError);
    await expect(failed).rejects.toThrow("options.database");
  });

  it("proves nothing about the secret when the account may not connect to the database", async () => {
    await bench.target.sql("CREATE DATABASE closed");
    await bench.target.sql("REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
    const failed = bench.verify(
      await bench.newAccount(),
      bench.optionsWith({ database: "closed" }),
    );
    await expect(failed).rejects.toBeInstanceOf(AccountBlockedError);
    await expect(failed).rejects.toThrow("GRANT CONNECT");
  });

  it.each([
    ["a log-in trigger that raises an error", "RAISE EXCEPTION 'not at night'"],
    [
      "a log-in trigger without a right of its own",
      "SET LOCAL ROLE pg_read_all_data; DELETE FROM pg_authid",
    ],
  ])("proves nothing about the secret when %s refuses the session", async (_, body) => {
    const { target } = bench;
    const current = await bench.newAccount();
    const { account } = current;
    await target.sql(
      `CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
         IF session_user = '${account}' THEN ${body}; END IF; END $$`,
    );
    await target.sql("CREATE EVENT TRIGGER refuse ON login EXECUTE FUNCTION refuse()");
    try {
      const failed = bench.verify(current);
      await expect(failed).rejects.toBeInstanceOf(AccountBlockedError);
      await expect(failed).rejects.toThrow("a log-in trigger of the database");
      expect(await bench.verify(withNewSecret(current))).toBe("rejected");
    } finally {
      await target.sql("DROP EVENT TRIGGER refuse");
      await target.sql("DROP FUNCTION refuse");
    }
  });

  it("proves nothing about the secret when a library that the session needs is missing", async () => {
    const current = await bench.newAccount();
    await bench.target.sql(`ALTER ROLE ${current.account} SET session_preload_libraries = missing`);
    const failed = bench.verify(current);
    await expect(failed).rejects.toBeInstanceOf(AccountBlockedError);
    await expect(failed).rejects.toThrow("session_preload_libraries");
    expect(await bench.verify(withNewSecret(current))).toBe("rejected");
  });

  it("is a mistake when the secret is empty, whatever the environment contains", async () => {
    const { account } = await bench.newAccount();
    await expect(bench.verify({ account, secret: new Secret("") })).rejects.toBeInstanceOf(
      ConfigError,
    );
  });
});

describe("TLS to PostgreSQL", () => {
  it("is required and verified by default", () => {
    const options = postgresql.options.parse({ host: "db.example.com" });
    expect(options.tls).toEqual({ mode: "verify-full" });
  });

  it("does not trust an authority that is not configured, and names the option for it", async () => {
    const failed = bench.verify(await bench.newAccount(), bench.optionsWith({ tls: {} }));
    await expect(failed).rejects.toBeInstanceOf(TargetUnavailableError);
    await expect(failed).rejects.toThrow("options.tls.caFile");
  });

  it("rejects a certificate for another name", async () => {
    // Leads to this machine too, but the certificate is not for it.
    const failed = bench.verify(await bench.newAccount(), bench.optionsWith({ host: "0.0.0.0" }));
    await expect(failed).rejects.toBeInstanceOf(TargetUnavailableError);
    await expect(failed).rejects.toThrow("certificate of the server is for another name");
  });

  it("stays required when the server offers none", async () => {
    const current = await bench.newAccount();
    const plain = await listen(
      createServer((socket) => {
        socket.once("data", () => socket.write("N"));
      }),
    );
    const failed = bench.verify(current, bench.optionsWith({ port: plain.port }));
    await expect(failed).rejects.toBeInstanceOf(TargetUnavailableError);
    await expect(failed).rejects.toThrow("offers no TLS");
    await plain.close();
  });

  it.each([
    ["missing", undefined, "cannot be read"],
    ["not PEM", "-----BEGIN nothing", "contains no PEM certificate"],
  ])("needs an authority file that is not %s", async (name, content, problem) => {
    const current = await bench.newAccount();
    const caFile = join(bench.target.caFile, "..", `${name}.pem`);
    if (content !== undefined) await writeFile(caFile, content);
    const failed = bench.verify(current, bench.optionsWith({ tls: { caFile } }));
    await expect(failed).rejects.toBeInstanceOf(ConfigError);
    await expect(failed).rejects.toThrow(problem);
    await rm(caFile, { force: true });
  });

  it("refuses an authority file when it is disabled", () => {
    const tls = { mode: "disable", caFile: "ca.pem" };
    expect(postgresql.options.safeParse({ host: "db", tls }).success).toBe(false);
  });
});

describe("a server that does not close the connection", () => {
  it.each(["verify-full", "disable"])("does not delay the rotator when TLS is %s", async (mode) => {
    const current = await bench.newAccount();
    const clingy = await listen(
      createServer({ allowHalfOpen: true }, (socket) => {
        const server = connect(bench.target.port, "127.0.0.1");
        server.on("error", () => undefined);
        socket.pipe(server).pipe(socket, { end: false });
      }),
    );
    const tls = mode === "disable" ? { mode } : { caFile: bench.target.caFile };
    expect(await bench.verify(current, bench.optionsWith({ port: clingy.port, tls }))).toBe(
      "accepted",
    );
    await clingy.close();
  });
});
