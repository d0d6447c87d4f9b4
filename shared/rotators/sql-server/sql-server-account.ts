import { findUnfitName } from "../connection/account-name.ts";

/** Characters, as UTF-16 counts them. The server refuses longer names, and QUOTENAME returns NULL for them. */
const maxNameLength = 128;

/** Why no account can have this name, in the words of `Rotator.findUnfitAccount`. */
export function findUnfitAccountForSqlServer(account: string): string | undefined {
  if (account.length > maxNameLength) return `must have at most ${maxNameLength} characters`;
  return findUnfitName(account);
}
