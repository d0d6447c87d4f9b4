import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { Credential } from "../../../shared/core/secrets/secret.ts";
import { mysql } from "../../../shared/rotators/mysql/mysql.ts";
import type { Applied, Examination, Using } from "../../../shared/rotators/rotator.ts";
import { type MysqlSystem, type MysqlTarget, newSecret, startMysqlTarget } from "./mysql-target.ts";

const patience = () => AbortSignal.timeout(20_000);

/** A real server for the tests of one file, and the rotator aimed at it. Each test must leave no connection open. */
export function mysqlBench(system: MysqlSystem, flags: readonly string[] = []) {
  let target: MysqlTarget;
  let number = 0;

  beforeAll(async () => {
    target = await startMysqlTarget(system, { flags });
  });
  afterAll(async () => {
    await target.stop();
  });
  afterEach(async () => {
    await expect.poll(() => target.openConnections(), { timeout: 10_000 }).toBe(0);
  });

  const admin = (): Using => ({ as: "admin", credential: target.admin });
  const optionsWith = (changed: object = {}) => target.optionsWith(changed);

  return {
    get target() {
      return target;
    },
    sql: (text: string, values?: readonly unknown[]) => target.sql(text, values),
    optionsWith,
    admin,
    newAccount: async (name?: string): Promise<Credential> => {
      number += 1;
      const credential = { account: name ?? `account_${number}`, secret: newSecret() };
      await target.account(credential.account, credential.secret.reveal());
      return credential;
    },
    works: ({ account, secret }: Credential) => target.logsIn(account, secret.reveal()),
    verify: (credential: Credential, options = optionsWith()) =>
      mysql.verify({ options, credential }, patience()),
    apply: (
      next: Credential,
      using = admin(),
      { options = optionsWith(), keep }: ApplyOptions = {},
    ): Promise<Applied> => mysql.apply({ options, next, using, ...(keep && { keep }) }, patience()),
    discard: async (keep: Credential, using = admin(), options = optionsWith()) =>
      mysql.discard?.({ options, keep, using }, patience()),
    retire: async (account: string, using = admin(), options = optionsWith()) =>
      mysql.retire?.({ options, account, using }, patience()),
    hasSessions: async (account: string, using = admin()) =>
      mysql.hasSessions?.({ options: optionsWith(), account, using }, patience()),
    async examine(
      account: string,
      using = admin(),
      { isProven = false, options = optionsWith(), twin }: ExamineOptions = {},
    ): Promise<Examination> {
      const call = { options, account, using, isProven, ...(twin !== undefined && { twin }) };
      const examined = mysql.examine?.(call, patience());
      const answer = await examined;
      if (answer === undefined || answer === "rejected") throw new Error("not examined");
      return answer;
    },
  };
}

interface ExamineOptions {
  readonly isProven?: boolean;
  readonly options?: ReturnType<MysqlTarget["optionsWith"]>;
  readonly twin?: string;
}

interface ApplyOptions {
  readonly options?: ReturnType<MysqlTarget["optionsWith"]>;
  readonly keep?: Credential;
}

export const self = (credential: Credential): Using => ({ as: "self", credential });
export const asAdmin = (credential: Credential): Using => ({ as: "admin", credential });

export const withNewSecret = ({ account }: Credential): Credential => ({
  account,
  secret: newSecret(),
});
