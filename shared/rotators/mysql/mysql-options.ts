import { z } from "zod";
import { isAzureServer } from "../../core/secrets/addresses.ts";
import { findUnfitName } from "../common/connection/account-name.ts";
import { host } from "../common/connection/host.ts";
import { findIdentityFaults, identityAccount } from "../common/connection/identity-account.ts";
import type { TokenServer } from "../common/connection/option-faults.ts";
import { tls } from "../common/connection/tls.ts";
import type { OptionFault, Using } from "../rotator.ts";

/** The server refuses longer names. */
const maxLengthOf = { mysql: 32, mariadb: 128 };

/** See `Rotator.findUnfitAccount`. A name that the server would change may be that of another account. */
export function findUnfitAccount(
  account: string,
  options?: { readonly host: string },
): string | undefined {
  if (account.endsWith(" ")) return "must not end with a space, which MySQL removes";
  if (/[\u{10000}-\u{10FFFF}]/u.test(account)) {
    return "must not contain characters such as emoji, which MySQL replaces with a question mark; rename the account";
  }
  const { mysql, mariadb } = maxLengthOf;
  if (account.length > mysql && options && isAzureServer(options.host, "mysql")) {
    return `must have at most ${mysql} characters on Azure Database for MySQL; write the name as the server stores it`;
  }
  if (account.length > mariadb) {
    return `must have at most ${mariadb} characters, or ${mysql} on MySQL`;
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
  const { identityAccount: account } = options;
  const unfit =
    as === "identity" && account !== undefined ? findUnfitAccount(account, options) : undefined;
  return [
    ...findIdentityFaults(options, as, findTokenServer(options)),
    ...(unfit === undefined ? [] : [{ path: ["identityAccount"], message: unfit }]),
  ];
}

/** Describes the account in messages. `system`: MySQL or MariaDB, once a log-in has shown which of them it is. */
export function describeAccount(
  { host, port }: MysqlOptions,
  account: string,
  system = "The server",
): string {
  return `${system} at ${host}:${port}, account ${account}`;
}
