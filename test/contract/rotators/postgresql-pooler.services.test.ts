import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "../../../shared/core/errors.ts";
import type { Credential } from "../../../shared/core/secrets/secret.ts";
import { postgresql } from "../../../shared/rotators/postgresql/postgresql.ts";
import { type Pgbouncer, startPgbouncer } from "../../servers/pgbouncer.ts";
import { newSecret, postgresqlBench, self, withNewSecret } from "./postgresql-bench.ts";

const bench = postgresqlBench();

let current: Credential;
let pooler: Pgbouncer;
let direct: object;
const through = (changed: object = {}) =>
  postgresql.options.parse({
    host: pooler.host,
    port: pooler.port,
    tls: { caFile: pooler.caFile },
    ...changed,
  });

async function refuses(call: Promise<unknown> | undefined): Promise<void> {
  await expect(call).rejects.toBeInstanceOf(ConfigError);
  await expect(call).rejects.toThrow("a connection pooler answers instead of the server");
  await expect(call).rejects.toThrow("Set options.direct");
}

describe.each([
  ["session", {}],
  ["transaction", {}],
  ["session", { release: "newer" }],
] as const)("PgBouncer in the mode %s %o", (pool_mode, release) => {
  beforeAll(async () => {
    const { host, port, ca } = bench.target.asPrimary;
    current = { account: `listed_${pool_mode}`, secret: newSecret() };
    await bench.target.account(current.account, current.secret.reveal());
    pooler = await startPgbouncer({
      ...release,
      postgresql: { host, port, ca },
      users: [current, bench.target.admin],
      // Leaves no connection that a test of the bench would count.
      settings: { pool_mode, server_idle_timeout: "1" },
    });
    direct = { direct: { host, port }, tls: { caFile: bench.target.caFile } };
  });
  afterAll(() => pooler.stop());

  it("is recognised after a log-in, because it may know an old password", async () => {
    const { account } = current;
    await refuses(bench.verify(current, through()));
    await refuses(bench.apply(withNewSecret(current), self(current), through()));
    await refuses(bench.apply(withNewSecret(current), bench.admin(), through()));
    const call = { options: through(), account, using: bench.admin() };
    await refuses(postgresql.examine?.({ ...call, isProven: true }, AbortSignal.timeout(20_000)));
    await refuses(postgresql.hasSessions?.(call, AbortSignal.timeout(20_000)));
    await refuses(postgresql.retire?.(call, AbortSignal.timeout(20_000)));
    expect(await bench.works(current)).toBe(true);
  });

  it("is recognised when it refuses a password or an account", async () => {
    await refuses(bench.verify(withNewSecret(current), through()));
    await refuses(bench.verify(await bench.newAccount(), through()));
  });

  it("is bypassed with options.direct, and consumers still get its address", async () => {
    const options = through(direct);
    const next = withNewSecret(current);
    expect(postgresql.endpoint(options)).toMatchObject({ host: pooler.host, port: pooler.port });
    expect(await bench.verify(current, options)).toBe("accepted");
    await bench.apply(next, bench.admin(), options);
    expect(await bench.verify(next, options)).toBe("accepted");
    expect(await bench.verify(current, options)).toBe("rejected");
  });
});
