import { createHash } from "node:crypto";
import type { Request } from "./postgresql-errors.ts";
import type { PostgresqlOptions } from "./postgresql-options.ts";

/** The forms in which a server stores passwords, as its setting password_encryption names them. */
export type Encryption = "scram-sha-256" | "md5";

/** How the account's password is stored now, as far as the request for it says. */
export function readEncryption(request: Request | undefined): Encryption | undefined {
  if (request === "md5") return "md5";
  return request === "scram" ? "scram-sha-256" : undefined;
}

/**
 * The form in which the next password is stored. Clients that know only MD5 cannot log in with a SCRAM verifier, so the form that the
 * account has stays, unless the options choose. `server`: the setting password_encryption, which counts for an account without a password.
 */
export function chooseEncryption(
  { passwordEncryption = "keep" }: PostgresqlOptions,
  present: Encryption | undefined,
  server: string,
): Encryption {
  if (passwordEncryption !== "keep") return passwordEncryption;
  // Servers before version 14 have further names for MD5.
  return present ?? (/^(md5|on|off|true|false)$/.test(server) ? "md5" : "scram-sha-256");
}

/** What consumers should know about the form of the next password, if the account has an MD5 verifier now. */
export function describeEncryption(
  options: PostgresqlOptions,
  present: Encryption | undefined,
  account: string,
): string[] {
  if (present !== "md5") return [];
  const next = chooseEncryption(options, present, "md5");
  if (next !== "md5") {
    return [
      `Account \`${account}\` has an MD5 verifier and gets one for SCRAM: clients that know only MD5 will not log in.`,
    ];
  }
  return [
    `Account \`${account}\` keeps a verifier of the outdated form MD5. Set options.passwordEncryption to scram-sha-256 as soon as all its clients know SCRAM.`,
  ];
}

/** The MD5 verifier that PostgreSQL stores. The account's name is its salt. */
export function computeMd5Verifier(password: string, account: string): string {
  return `md5${createHash("md5").update(password).update(account).digest("hex")}`;
}

/** Whether the server would take the text for a verifier, and store it as it is. */
export function looksLikeVerifier(password: string): boolean {
  return /^md5[0-9a-f]{32}$/.test(password) || password.startsWith("SCRAM-SHA-256$");
}
