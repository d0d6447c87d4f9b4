import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { saslprep } from "@mongodb-js/saslprep";
import { refused } from "./errors.ts";

const derive = promisify(pbkdf2);

export const mechanisms = ["SCRAM-SHA-1", "SCRAM-SHA-256"] as const;
export type Mechanism = (typeof mechanisms)[number];

const algorithms = {
  "SCRAM-SHA-1": { hash: "sha1", bytes: 20, saltBytes: 16 },
  "SCRAM-SHA-256": { hash: "sha256", bytes: 32, saltBytes: 28 },
} as const;

/** The data that the server stores for a password (RFC 5802), from which it can check the password but not read it. */
export interface ScramCredential {
  readonly mechanism: Mechanism;
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export async function scramCredential(
  mechanism: Mechanism,
  {
    user,
    password,
    iterations,
    salt = randomBytes(algorithms[mechanism].saltBytes),
  }: {
    readonly user: string;
    readonly password: string;
    readonly iterations: number;
    readonly salt?: Buffer;
  },
): Promise<ScramCredential> {
  const { hash, bytes } = algorithms[mechanism];
  const salted = await derive(prepared(mechanism, user, password), salt, iterations, bytes, hash);
  const clientKey = hmac(hash, salted, "Client Key");
  return {
    mechanism,
    salt,
    iterations,
    storedKey: createHash(hash).update(clientKey).digest(),
    serverKey: hmac(hash, salted, "Server Key"),
  };
}

export async function matches(
  credential: ScramCredential,
  user: string,
  password: string,
): Promise<boolean> {
  const { mechanism, iterations, salt } = credential;
  const presented = await scramCredential(mechanism, { user, password, iterations, salt });
  return timingSafeEqual(presented.storedKey, credential.storedKey);
}

function prepared(mechanism: Mechanism, user: string, password: string): string {
  if (mechanism === "SCRAM-SHA-1") {
    return createHash("md5").update(`${user}:mongo:${password}`, "utf8").digest("hex");
  }
  try {
    return saslprep(password);
  } catch {
    throw refused(
      "Location50692",
      "Error preflighting normalization: U_STRINGPREP_PROHIBITED_ERROR",
    );
  }
}

function hmac(hash: string, key: Buffer, text: string): Buffer {
  return createHmac(hash, key).update(text).digest();
}

export interface ClientFirst {
  readonly user: string;
  readonly bare: string;
  readonly nonce: string;
}

export function parseClientFirst(payload: string): ClientFirst {
  const found = /^n,,(?<bare>n=(?<user>[^,]*),r=(?<nonce>[^,]+))$/.exec(payload)?.groups;
  if (found === undefined) {
    throw refused("BadValue", "Incorrect number of arguments for first SCRAM client message");
  }
  const { bare = "", user = "", nonce = "" } = found;
  return { bare, nonce, user: user.replaceAll("=2C", ",").replaceAll("=3D", "=") };
}

/** A conversation that has begun: the server's first message, and the check of the client's last. */
export interface Conversation {
  readonly serverFirst: string;
  /** The server's proof, or undefined where the client did not prove that it knows the password. */
  finish(clientFinal: string): string | undefined;
}

export function converse(first: ClientFirst, credential: ScramCredential): Conversation {
  const { hash } = algorithms[credential.mechanism];
  const nonce = first.nonce + randomBytes(24).toString("base64");
  const salt = credential.salt.toString("base64");
  const serverFirst = `r=${nonce},s=${salt},i=${String(credential.iterations)}`;
  return {
    serverFirst,
    finish(clientFinal) {
      const found = /^(?<bare>c=biws,r=(?<nonce>[^,]+)),p=(?<proof>.+)$/.exec(clientFinal)?.groups;
      if (found?.["nonce"] !== nonce) return undefined;
      const { bare = "", proof = "" } = found;
      const message = `${first.bare},${serverFirst},${bare}`;
      const signature = hmac(hash, credential.storedKey, message);
      const presented = Buffer.from(proof, "base64");
      if (presented.length !== signature.length) return undefined;
      const clientKey = Buffer.from(signature.map((byte, at) => byte ^ (presented[at] ?? 0)));
      const storedKey = createHash(hash).update(clientKey).digest();
      if (!timingSafeEqual(storedKey, credential.storedKey)) return undefined;
      return `v=${hmac(hash, credential.serverKey, message).toString("base64")}`;
    },
  };
}
