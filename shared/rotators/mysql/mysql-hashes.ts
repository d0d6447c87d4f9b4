import { createHash } from "node:crypto";

/** What a server stores about a password, with the password that may belong to it. */
export interface Stored {
  readonly plugin: string;
  /** `authentication_string` of mysql.user, or the additional password of its attributes. */
  readonly text: string;
}

/**
 * Whether the stored form is that of this password. Undefined if the form is unknown, or would take too long to compute.
 * `caching_sha2_password` and `sha256_password` store a SHA-crypt with a salt of 20 bytes, `mysql_native_password` SHA-1 twice.
 */
export function isStoredForm({ plugin, text }: Stored, password: string): boolean | undefined {
  if (text === "") return false;
  if (plugin === "mysql_native_password") return text === toNativeForm(password);
  const form = shaForms[plugin]?.exec(text)?.groups;
  if (form === undefined) return undefined;
  const { rounds, salt = "", hash } = form;
  const count = rounds === undefined ? 5_000 : Number.parseInt(rounds, 16) * 1_000;
  if (count > maxRounds) return undefined;
  return shaCrypt(Buffer.from(password, "utf8"), Buffer.from(salt, "utf8"), count) === hash;
}

/** One round takes about two microseconds, during which nothing else runs. */
const maxRounds = 100_000;

/** Rounds are thousands, in hexadecimal. The salt may contain any 7-bit character except NUL and `$`. */
const shaForms: Readonly<Record<string, RegExp>> = {
  caching_sha2_password:
    /^\$A\$(?<rounds>[0-9A-F]{3})\$(?<salt>[^]{20})(?<hash>[./0-9A-Za-z]{43})$/,
  sha256_password: /^\$5\$(?<salt>[^]{20})\$(?<hash>[./0-9A-Za-z]{43})$/,
};

const sha1 = (data: Buffer | string) => createHash("sha1").update(data).digest();

/** The form in which `mysql_native_password` stores a password. The server accepts it instead of the password. */
export function toNativeForm(password: string): string {
  return `*${sha1(sha1(password)).toString("hex").toUpperCase()}`;
}

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The first `length` bytes of the block, repeated. */
function fill(block: Buffer, length: number): Buffer {
  return Buffer.alloc(length, block);
}

/** SHA-crypt with SHA-256, as glibc defines it, but with a salt of any length. */
function shaCrypt(key: Buffer, salt: Buffer, rounds: number): string {
  const inner = sha256(key, salt, key);
  const parts: Buffer[] = [key, salt, fill(inner, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? inner : key);
  let digest = sha256(...parts);
  const p = fill(sha256(...Array<Buffer>(key.length).fill(key)), key.length);
  const s = fill(sha256(...Array<Buffer>(16 + (digest[0] ?? 0)).fill(salt)), salt.length);
  for (let round = 0; round < rounds; round++) {
    const isOdd = round % 2 === 1;
    digest = sha256(
      isOdd ? p : digest,
      ...(round % 3 === 0 ? [] : [s]),
      ...(round % 7 === 0 ? [] : [p]),
      isOdd ? digest : p,
    );
  }
  return encode(digest);
}

const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The order in which the bytes of the digest become groups of three, and the last two alone. */
const order = [
  [0, 10, 20],
  [21, 1, 11],
  [12, 22, 2],
  [3, 13, 23],
  [24, 4, 14],
  [15, 25, 5],
  [6, 16, 26],
  [27, 7, 17],
  [18, 28, 8],
  [9, 19, 29],
] as const;

function encode(digest: Buffer): string {
  const byte = (index: number) => digest[index] ?? 0;
  const group = (value: number, length: number) => {
    let text = "";
    for (let at = 0; at < length; at++) text += alphabet.charAt((value >> (6 * at)) & 63);
    return text;
  };
  const groups = order.map(([a, b, c]) => group((byte(a) << 16) | (byte(b) << 8) | byte(c), 4));
  return groups.join("") + group((byte(31) << 8) | byte(30), 3);
}
