import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type CutProxy, cutProxy } from "../../../conformance/faults/cut-proxy.ts";
import {
  AuthorityRefusedError,
  ConfigError,
  TargetUnavailableError,
} from "../../../shared/core/errors.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { postgresql } from "../../../shared/rotators/postgresql/postgresql.ts";
import type { AzureIdentity } from "../../../shared/rotators/rotator.ts";
import { postgresqlBench, withNewSecret } from "./postgresql-bench.ts";

const bench = postgresqlBench();
const options = (changed: object = {}) =>
  bench.optionsWith({ identityAccount: "entra_admin", ...changed });

let proxy: CutProxy;
beforeAll(async () => {
  proxy = await cutProxy(bench.target.port);
});
afterAll(() => proxy.close());

describe("an Entra token as the password of the PostgreSQL admin", () => {
  it("is requested for the scope of Azure Database for PostgreSQL, each time that it is used", async () => {
    const getToken = vi.fn<AzureIdentity["getToken"]>((...asked) =>
      bench.target.identity.getToken(...asked),
    );
    const current = await bench.newAccount();
    const next = withNewSecret(current);
    await bench.apply(next, { as: "identity", getToken }, options());
    await bench.apply(next, { as: "identity", getToken }, options());
    expect(await bench.works(next)).toBe(true);
    expect(getToken.mock.calls.map(([scope]) => scope)).toEqual([
      "https://ossrdbms-aad.database.windows.net/.default",
      "https://ossrdbms-aad.database.windows.net/.default",
    ]);
  });

  it("never leaves without TLS, and is not even requested", async () => {
    const getToken = vi.fn<AzureIdentity["getToken"]>((...asked) =>
      bench.target.identity.getToken(...asked),
    );
    const current = await bench.newAccount();
    const call = bench.apply(
      withNewSecret(current),
      { as: "identity", getToken },
      options({ port: proxy.port, tls: { mode: "disable" } }),
    );
    await expect(call).rejects.toBeInstanceOf(ConfigError);
    await expect(call).rejects.toThrow("options.tls.mode must not be disable");
    expect(getToken).not.toHaveBeenCalled();
  });

  it("needs the name of its account", async () => {
    const current = await bench.newAccount();
    const call = bench.apply(withNewSecret(current), bench.target.identity, bench.optionsWith());
    await expect(call).rejects.toBeInstanceOf(ConfigError);
    await expect(call).rejects.toThrow("options.identityAccount is required");
  });

  it("that the server refuses changes nothing", async () => {
    const current = await bench.newAccount();
    const getToken = () => Promise.resolve(new Secret("eyJ.expired.token"));
    const expired: AzureIdentity = { as: "identity", getToken };
    const call = bench.apply(withNewSecret(current), expired, options());
    await expect(call).rejects.toBeInstanceOf(AuthorityRefusedError);
    await expect(call).rejects.toThrow("the token of entra_admin");
    const examined = postgresql.examine?.(
      { options: options(), account: current.account, using: expired, isProven: false },
      AbortSignal.timeout(20_000),
    );
    expect(await examined).toBe("rejected");
    expect(await bench.works(current)).toBe(true);
  });

  it("that Azure does not give changes nothing", async () => {
    const current = await bench.newAccount();
    const getToken = () => Promise.reject(new TargetUnavailableError("Azure gives no token"));
    const call = bench.apply(withNewSecret(current), { as: "identity", getToken }, options());
    await expect(call).rejects.toThrow("Azure gives no token");
  });

  it("proves nothing to a server that requests an ordinary password, although it accepts the token", async () => {
    const current = await bench.newAccount();
    const role = await bench.newAccount();
    const getToken = () => Promise.resolve(role.secret);
    const call = bench.apply(
      withNewSecret(current),
      { as: "identity", getToken },
      options({ identityAccount: role.account }),
    );
    await expect(call).rejects.toBeInstanceOf(ConfigError);
    await expect(call).rejects.toThrow("does not request a token");
    expect(await bench.works(current)).toBe(true);
  });
});
