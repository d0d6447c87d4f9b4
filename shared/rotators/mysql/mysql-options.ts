import { z } from "zod";
import { findUnfitName } from "../connection/account-name.ts";
import { host } from "../connection/host.ts";
import { findIdentityFaults, identityAccount } from "../connection/identity-account.ts";
import type { TokenServer } from "../connection/option-faults.ts";
import { tls } from "../connection/tls.ts";
import type { OptionFault, Using } from "../rotator.ts";

/** MariaDB's limit. That of MySQL is 32, and the server refuses longer names. */
const maxNameLength = 128;

/** See `Rotator.findUnfitAccount`. A name that the server would change may be that of another account. */
export function findUnfitAccount(account: string): string | undefined {
  if (account.endsWith(" ")) return "must not end with a space, which MySQL removes";
  if (/[\u{10000}-\u{10FFFF}]/u.test(account)) {
    return "must not contain characters such as emoji, which MySQL replaces with a question mark; rename the account";
  }
  if (account.length > maxNameLength) {
    return `must have at most ${maxNameLength} characters, or 32 on MySQL`;
  }
  return findUnfitName(account);
}

const oneLine = /^[^\0\r\n]+$/;

export const mysqlOptions = z.strictObject({
  host,
  port: z.int().min(1).max(65535).default(3306),
  /** The database that consumers use. It has no effect on the log-in. */
  database: z.string().regex(oneLine, "must be the name of a database").exactOptional(),
  /** The host parts of the accounts that are changed, such as `%`. Absent: every host of the account's name. */
  hosts: z
    .array(z.string().regex(oneLine, "must be the host part of an account, such as %"))
    .min(1)
    .exactOptional(),
  /** The account of the app's managed identity, with `admin: managed-identity`. */
  identityAccount: identityAccount(findUnfitAccount),
  tls: tls.prefault({}),
});

export type MysqlOptions = z.output<typeof mysqlOptions>;

/** The server to which the token of the app's identity goes. */
export function findTokenServer({ host: name }: MysqlOptions): TokenServer {
  return { system: "mysql", host: name, path: ["host"] };
}

/** The faults of the options for an authority. */
export function findOptionFaults(options: MysqlOptions, as: Using["as"]): OptionFault[] {
  return findIdentityFaults(options, as, findTokenServer(options));
}

/** Describes the account in messages. `system`: MySQL or MariaDB, once a log-in has shown which of them it is. */
export function describeAccount(
  { host, port }: MysqlOptions,
  account: string,
  system = "The server",
): string {
  return `${system} at ${host}:${port}, account ${account}`;
}
