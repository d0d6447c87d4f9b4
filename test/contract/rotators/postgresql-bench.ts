import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { postgresql } from "../../../shared/rotators/postgresql/postgresql.ts";
import type { Examination, Using } from "../../../shared/rotators/rotator.ts";
import { type StartedPostgresqlTarget, startPostgresqlTarget } from "./postgresql-target.ts";

const patience = () => AbortSignal.timeout(20_000);

export const newSecret = () => new Secret(`Aa1-${randomBytes(24).toString("base64url")}`);

/** A PostgreSQL for the tests of one file, and the rotator aimed at it. Each test must leave no connection open. */
export function postgresqlBench() {
  let target: StartedPostgresqlTarget;
  let number = 0;

  beforeAll(async () => {
    target = await startPostgresqlTarget();
  });
  afterAll(async () => {
    await target.stop();
  });
  afterEach(async () => {
    await expect.poll(() => target.openConnections(), { timeout: 10_000 }).toBe(0);
  });

  function optionsWith(changed: object = {}) {
    const { host, port, caFile } = target;
    return postgresql.options.parse({ host, port, tls: { caFile }, ...changed });
  }

  return {
    get target() {
      return target;
    },
    optionsWith,
    async newAccount(): Promise<Credential> {
      number += 1;
      const credential = { account: `account_${number}`, secret: newSecret() };
      await target.account(credential.account, credential.secret.reveal());
      return credential;
    },
    works: ({ account, secret }: Credential) => target.logsIn(account, secret.reveal()),
    verify: (credential: Credential, options = optionsWith()) =>
      postgresql.verify({ options, credential }, patience()),
    apply: (next: Credential, using: Using, options = optionsWith(), signal = patience()) =>
      postgresql.apply({ options, next, using }, signal),
    retire: (account: string, using: Using) =>
      postgresql.retire?.({ options: optionsWith(), account, using }, patience()),
    async examine(
      account: string,
      using: Using = { as: "admin", credential: target.admin },
      { isProven = false, options = optionsWith() } = {},
    ): Promise<Examination> {
      const examined = postgresql.examine?.({ options, account, using, isProven }, patience());
      const answer = await examined;
      if (answer === undefined || answer === "rejected") throw new Error("not examined");
      return answer;
    },
    async hasSessions(
      account: string,
      using: Using = { as: "admin", credential: target.admin },
    ): Promise<boolean | undefined> {
      return postgresql.hasSessions?.({ options: optionsWith(), account, using }, patience());
    },
    admin: (): Using => ({ as: "admin", credential: target.admin }),
    /** What the server stores as the account's password. */
    async storedFor(account: string): Promise<string> {
      const [row] = await target.sql("SELECT rolpassword FROM pg_authid WHERE rolname = $1", [
        account,
      ]);
      return String(row?.["rolpassword"]);
    },
  };
}

export const self = (credential: Credential): Using => ({ as: "self", credential });

export const withNewSecret = ({ account }: Credential): Credential => ({
  account,
  secret: newSecret(),
});
