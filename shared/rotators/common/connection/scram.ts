import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { Secret } from "../../../core/secrets/secret.ts";

const derive = promisify(pbkdf2);

/** The default of PostgreSQL when `scram_iterations` is not set. */
export const defaultIterations = 4096;

/**
 * The verifier that a PostgreSQL server stores for a password (`SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`). The server stores
 * a verifier unchanged, and so never sees the password itself.
 *
 * It is correct only for a password that `isTakenAsItStands`.
 */
export async function computeScramVerifier(
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

/** Why no account can have the password, in the words of `Rotator.findUnfit`. */
export function findUnfitForScram(password: Secret): string | undefined {
  return isTakenAsItStands(password.reveal())
    ? undefined
    : "`value` must not contain characters that clients encode differently. Plain ASCII is safe";
}

/** Characters that SASLprep removes or turns into a space, although NFKC keeps them. Most are invisible. */
const replaced = /[\p{Default_Ignorable_Code_Point}\u1680\u1806]/u;

/**
 * Whether every client uses the same bytes of the password. SASLprep (RFC 4013) rewrites some passwords and forbids others. libpq
 * uses a forbidden password unchanged, other clients rewrite it, and each client knows another version of Unicode. A password that
 * no client rewrites is safe, as is all of plain ASCII except NUL.
 */
export function isTakenAsItStands(password: string): boolean {
  return (
    password.isWellFormed() &&
    password.normalize("NFKC") === password &&
    !replaced.test(password) &&
    // Many clients store a password in a C string.
    !password.includes("\0")
  );
}
