import type { Secret } from "keyturn/rotator";

/** The extended operation of RFC 3062. The server hashes the password by its own rules. */
export const withPassword = "1.3.6.1.4.1.4203.1.11.1";

/** Pure: the value of the operation, in BER: a sequence of the account, [0], and its new password, [2]. */
export function toModifyPassword(dn: string, secret: Secret): Buffer {
  const parts = [encode(0x80, Buffer.from(dn)), encode(0x82, Buffer.from(secret.reveal()))];
  return encode(0x30, Buffer.concat(parts));
}

/** Lengths from 128 on take a byte that counts the bytes of the length. */
function encode(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}
