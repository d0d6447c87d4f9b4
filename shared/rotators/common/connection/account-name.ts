/** Why no account of any system can have this name, in the words of `Rotator.findUnfitAccount`. */
export function findUnfitName(account: string): string | undefined {
  if (account === "") return "must not be empty";
  if (account.includes("\0")) return "must not contain a NUL character";
  return account.isWellFormed() ? undefined : "must not contain half of a character";
}
