import { appendFile } from "node:fs/promises";
import { inspect } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  AccountBlockedError,
  ConfigError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import {
  administrator,
  type AzureSqlBench,
  firstSecret,
  startAzureSqlBench,
} from "../contract/rotators/azure-sql-server-bench.ts";
import {
  startTdsDouble,
  type TdsDouble,
  type TdsDoubleOptions,
  tdsErrors,
} from "../doubles/tds/server.ts";

const open: AzureSqlBench[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const bench of open.splice(0)) {
    await expect.poll(() => bench.openConnections()).toBe(0);
    await bench.close();
  }
});

async function start(tds: TdsDoubleOptions = {}): Promise<AzureSqlBench> {
  const bench = await startAzureSqlBench({}, { hostile: true, ...tds });
  open.push(bench);
  return bench;
}

const verify = (bench: AzureSqlBench, secret = firstSecret, changed: object = {}) =>
  bench.rotator().verify(
    {
      options: bench.optionsWith(changed),
      credential: { account: administrator, secret: new Secret(secret) },
    },
    AbortSignal.timeout(20_000),
  );

async function failure(work: Promise<unknown>): Promise<Error> {
  const error: unknown = await work.then(
    (value) => `it did not fail: ${String(value)}`,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error(String(error));
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(firstSecret);
  return error;
}

describe("a log-in to SQL Server", () => {
  it.each([firstSecret, "Wr0ng~secret-of-ktadmin"])("is tried once", async (secret) => {
    const bench = await start();
    expect(await verify(bench, secret)).toBe(secret === firstSecret ? "accepted" : "rejected");
    expect(bench.tds.inspection.logins).toHaveLength(1);
  });

  it("does not confuse a wrong database with a wrong password", async () => {
    const bench = await start();
    const error = await failure(verify(bench, firstSecret, { database: "missing" }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("options.database");
    expect(bench.tds.inspection.logins).toHaveLength(1);
  });

  it("rejects a wrong password even for a database that does not exist", async () => {
    const bench = await start();
    expect(await verify(bench, "Wr0ng~secret", { database: "missing" })).toBe("rejected");
  });

  it("proves nothing about the secret when the database is unavailable, and is not repeated", async () => {
    const bench = await start();
    bench.tds.setDatabase("master", "unavailable");
    const error = await failure(verify(bench));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("error 40613");
    expect(bench.tds.inspection.logins).toHaveLength(1);
  });

  it("proves nothing about the secret when the account is disabled", async () => {
    const bench = await start();
    bench.tds.setEnabled(administrator, false);
    const error = await failure(verify(bench));
    expect(error).toBeInstanceOf(AccountBlockedError);
    expect(error.message).toContain("disabled");
  });

  it("proves nothing about the secret when the account is locked", async () => {
    const bench = await start({ lockAfter: 1 });
    expect(await verify(bench, "Wr0ng~secret")).toBe("rejected");
    const error = await failure(verify(bench));
    expect(error).toBeInstanceOf(AccountBlockedError);
    expect(error.message).toContain("locked");
  });

  it.each([
    [18_487, AccountBlockedError, "expired"],
    [18_488, AccountBlockedError, "must change the password"],
    [40_615, AccountBlockedError, "firewall"],
    [40_914, AccountBlockedError, "virtual network"],
    [47_073, AccountBlockedError, "public network"],
    [40_532, ConfigError, "options.server"],
    [10_928, TargetUnavailableError, "raise the limit"],
    [10_936, TargetUnavailableError, "raise the limit"],
    [12_345, TargetUnavailableError, "error 12345"],
  ])("that is answered with error %i gives %o", async (number, kind, words) => {
    const bench = await start();
    const { message } = tdsErrors.loginFailed(administrator);
    bench.tds.faults.on("login", { do: "refuse", with: { number, message } });
    const error = await failure(verify(bench));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(words);
  });

  it("does not confuse a server that accepts only Entra log-ins with one that refuses the secret", async () => {
    const bench = await start();
    const message =
      "Login failed for user 'ktadmin'. Reason: Azure Active Directory only authentication is enabled.";
    bench.tds.faults.on("login", { do: "refuse", with: { number: 18_456, message } });
    const error = await failure(verify(bench));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("only Microsoft Entra log-ins");
  });

  it.each(["reset-before-effect", "lost-reply-after-effect"] as const)(
    "that ends by %s says nothing about the secret",
    async (fault) => {
      const bench = await start();
      bench.tds.faults.on("login", { do: fault });
      expect(await failure(verify(bench))).toBeInstanceOf(TargetUnavailableError);
    },
  );

  it.each(["account", "secret"])("needs an %s that is not empty", async (field) => {
    const bench = await start();
    const credential = {
      account: field === "account" ? "" : administrator,
      secret: new Secret(field === "secret" ? "" : firstSecret),
    };
    const options = bench.optionsWith();
    const signal = AbortSignal.timeout(20_000);
    const failed = bench.rotator().verify({ options, credential }, signal);
    expect(await failure(failed)).toBeInstanceOf(ConfigError);
    expect(bench.tds.inspection.connections.total).toBe(0);
  });
});

describe("a server that redirects to another one", () => {
  const routed: TdsDouble[] = [];
  afterEach(async () => {
    for (const double of routed.splice(0)) {
      await expect.poll(() => double.inspection.connections.open).toBe(0);
      await double.close();
    }
  });

  const other = "Wr0ng~secret-of-ktadmin";

  /** The server proves that it is localhost, and redirects to 127.0.0.1, which proves the given name. */
  async function startRouted(name: string, password = firstSecret) {
    const second = await startTdsDouble({
      logins: [{ account: administrator, password }],
      certifiedFor: [name],
      hostile: true,
    });
    routed.push(second);
    const routesTo = { server: "127.0.0.1", port: second.port };
    const first = await start({ certifiedFor: ["localhost"], routesTo });
    const options = first.optionsWith();
    const caFile = String(options.tls.caFile);
    await appendFile(caFile, `\n${second.ca}`);
    return { first, second };
  }

  it("is followed, and the answer of the other server counts", async () => {
    const { first, second } = await startRouted("127.0.0.1");
    expect(await verify(first)).toBe("accepted");
    expect(first.tds.inspection.logins).toHaveLength(1);
    expect(second.inspection.logins).toEqual([{ account: administrator, accepted: true }]);
  });

  it("does not help a password that the other server refuses", async () => {
    const { first, second } = await startRouted("127.0.0.1", other);
    expect(await verify(first)).toBe("rejected");
    expect(second.inspection.logins).toHaveLength(1);
  });

  it("is named in the error of the other server", async () => {
    const { first, second } = await startRouted("127.0.0.1");
    second.setEnabled(administrator, false);
    const error = await failure(verify(first));
    expect(error).toBeInstanceOf(AccountBlockedError);
    expect(error.message).toContain(`redirected to 127.0.0.1:${second.port}`);
  });

  it.each(["localhost", "sql.example.com"])(
    "is not followed to a server whose certificate is for %s instead of the name it was given",
    async (name) => {
      const { first, second } = await startRouted(name);
      const error = await failure(verify(first));
      expect(error).toBeInstanceOf(TargetUnavailableError);
      expect(error.message).toContain("certificate of the server is for another name");
      expect(second.inspection.logins).toEqual([]);
    },
  );

  it("is not followed when it has not proven its own name", async () => {
    const { first, second } = await startRouted("127.0.0.1");
    const error = await failure(verify(first, firstSecret, { host: "127.0.0.1" }));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("certificate of the server is for another name");
    expect(second.inspection.connections.total).toBe(0);
  });

  it("is not followed to an invalid host name", async () => {
    const bench = await start({ routesTo: { server: "somewhere/else", port: 1 } });
    expect(await failure(verify(bench))).toBeInstanceOf(TargetUnavailableError);
  });

  it("is not followed in a circle", async () => {
    const bench = await start({ routesTo: "itself" });
    const error = await failure(verify(bench));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("too many redirects");
    expect(bench.tds.inspection.logins).toHaveLength(11);
  });
});

describe("TLS to SQL Server", () => {
  it("does not trust an authority that is not configured, and names the option for it", async () => {
    const bench = await start();
    const error = await failure(verify(bench, firstSecret, { tls: {} }));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("options.tls.caFile");
    expect(bench.tds.inspection.logins).toEqual([]);
  });

  it("rejects a certificate for another name", async () => {
    const bench = await start();
    // Leads to this machine too, but the certificate is not for it.
    const error = await failure(verify(bench, firstSecret, { host: "0.0.0.0" }));
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("for another name");
    expect(bench.tds.inspection.logins).toEqual([]);
  });

  it("is refused while the environment switches off the verification of certificates", async () => {
    const bench = await start();
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const error = await failure(verify(bench));
    expect(error).toBeInstanceOf(ConfigError);
    expect(bench.tds.inspection.connections.total).toBe(0);
  });

  it("needs a readable authority file", async () => {
    const bench = await start();
    const error = await failure(verify(bench, firstSecret, { tls: { caFile: "/nowhere/ca.pem" } }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("options.tls.caFile");
  });
});
