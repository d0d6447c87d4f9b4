import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

/** What PostgreSQL uses where `scram_iterations` says nothing. */
export const defaultIterations = 4096;

/**
 * What a PostgreSQL server stores of a password (`SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`). Handed one of
 * these instead of a password, the server stores it as it is, and so never sees the password itself.
 *
 * Right only for a password that `isTakenAsItStands`.
 */
export async function scramVerifier(
  password: string,
  iterations = defaultIterations,
  salt: Buffer = randomBytes(16),
): Promise<string> {
  const salted = await derive(Buffer.from(password, "utf8"), salt, iterations, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** Characters that SASLprep drops or turns into a space although NFKC leaves them; most are invisible. */
const replaced = /[\p{Default_Ignorable_Code_Point}\u1680\u1806]/u;

/**
 * Whether every client computes with the same bytes. SASLprep (RFC 4013) rewrites some passwords, and forbids some;
 * libpq then takes a forbidden one unchanged, other clients rewrite it all the same, and each knows another version
 * of Unicode. A password that nobody rewrites is safe from that; all of plain ASCII but NUL is.
 */
export function isTakenAsItStands(password: string): boolean {
  return (
    password.isWellFormed() &&
    password.normalize("NFKC") === password &&
    !replaced.test(password) &&
    // Many clients hold a password in a C string.
    !password.includes("\0")
  );
}
