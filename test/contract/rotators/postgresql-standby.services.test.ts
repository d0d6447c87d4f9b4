import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TargetUnavailableError } from "../../../shared/core/errors.ts";
import type { Credential } from "../../../shared/core/secrets/secret.ts";
import { postgresql } from "../../../shared/rotators/postgresql/postgresql.ts";
import type { Using } from "../../../shared/rotators/rotator.ts";
import { type Standby, startStandby } from "../../servers/postgresql-standby.ts";
import { newSecret, self, withNewSecret } from "./postgresql-bench.ts";
import { type StartedPostgresqlTarget, startPostgresqlTarget } from "./postgresql-target.ts";

const patience = () => AbortSignal.timeout(20_000);
const current: Credential = { account: "replicated", secret: newSecret() };

let primary: StartedPostgresqlTarget;
let standby: Standby;
beforeAll(async () => {
  primary = await startPostgresqlTarget();
  await primary.account(current.account, current.secret.reveal());
  standby = await startStandby(primary.asPrimary);
});
afterAll(async () => {
  await standby.stop();
  await primary.stop();
});

const optionsOf = ({ host, port, caFile }: Pick<Standby, "host" | "port" | "caFile">) =>
  postgresql.options.parse({ host, port, tls: { caFile } });
const admin = (): Using => ({ as: "admin", credential: primary.admin });
const verify = (server: Pick<Standby, "host" | "port" | "caFile">, credential: Credential) =>
  postgresql.verify({ options: optionsOf(server), credential }, patience());

describe("a PostgreSQL that streams from another one", () => {
  it("accepts log-ins, and names itself a standby when something must change", async () => {
    expect(await verify(standby, current)).toBe("accepted");
    const next = withNewSecret(current);
    const { account } = current;
    const options = optionsOf(standby);
    const calls = [
      () => postgresql.apply({ options, next, using: self(current) }, patience()),
      () => postgresql.apply({ options, next, using: admin() }, patience()),
      () => postgresql.retire?.({ options, account, using: admin() }, patience()),
      () => postgresql.examine?.({ options, account, using: admin(), isProven: true }, patience()),
    ];
    for (const call of calls) {
      const failed = Promise.resolve(call());
      await expect(failed).rejects.toBeInstanceOf(TargetUnavailableError);
      await expect(failed).rejects.toThrow("is a standby, which accepts no changes");
      await expect(failed).rejects.toThrow("Set options.host to the primary");
    }
    expect(await verify(primary, current)).toBe("accepted");
  });

  it("replays a change of the primary", async () => {
    const options = optionsOf(primary);
    const next = withNewSecret(current);
    await postgresql.apply({ options, next, using: self(current) }, patience());
    await standby.catchUp();
    expect(await verify(standby, next)).toBe("accepted");
    expect(await verify(standby, current)).toBe("rejected");
    await postgresql.apply({ options, next: current, using: self(next) }, patience());
    await standby.catchUp();
  });

  it("accepts changes after its promotion, also in a session that was open before", async () => {
    const options = optionsOf(standby);
    const call = { options, credential: current, mayStay: true };
    expect(await postgresql.verify(call, patience())).toBe("accepted");
    await standby.sql("SELECT pg_promote()");
    const [bySelf, byAdmin] = [withNewSecret(current), withNewSecret(current)];
    const change = { options, next: bySelf, using: self(current), mayStay: true };
    await postgresql.apply(change, patience());
    expect(await verify(standby, bySelf)).toBe("accepted");
    await postgresql.apply({ options, next: byAdmin, using: admin() }, patience());
    expect(await verify(standby, byAdmin)).toBe("accepted");
  });
});
