/** The system of the example: accounts with salted hashes of their secrets, in memory or in a JSON file. */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** Fast, because Keyturn generates the secrets. Passwords that people choose need scrypt or Argon2. */
const hashOf = (secret, salt) => createHmac("sha256", salt).update(secret).digest("hex");

export function makeAccounts(file = "") {
  const accounts = new Map(existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : []);

  function save() {
    if (file === "") return;
    // A crash leaves the old file or the new one, never half of one.
    writeFileSync(`${file}.new`, JSON.stringify([...accounts]), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  return {
    has: (account) => accounts.has(account),
    set(account, secret) {
      const salt = randomBytes(16).toString("hex");
      accounts.set(account, { salt, hash: hashOf(secret, salt) });
      save();
    },
    logsIn(account, secret) {
      const { salt, hash } = accounts.get(account) ?? {};
      if (hash === undefined) return false;
      return timingSafeEqual(Buffer.from(hashOf(secret, salt)), Buffer.from(hash));
    },
    /** No secret logs in until the next `set`. */
    clear(account) {
      accounts.set(account, {});
      save();
    },
    /** Nobody stays logged in to a map of hashes. */
    isInUse: () => false,
  };
}
