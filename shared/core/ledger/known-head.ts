import { createPublicKey, type KeyObject } from "node:crypto";
import { isObject, parseJson } from "../json.ts";
import { isHash, parseHead } from "./lines.ts";
import type { KnownHead } from "./report.ts";

/**
 * The head that an auditor kept: the answer of `keyturn audit head --json`, the data of a `ledger.sealed` notification, the last line of an
 * export, or `NUMBER:HASH`. Undefined for any other text.
 */
export function parseKnownHead(text: string): KnownHead | undefined {
  const [, number, hash] = /^\s*(\d{1,15}):([0-9a-f]{64})\s*$/.exec(text) ?? [];
  if (number !== undefined && isHash(hash)) return { sequence: Number(number), hash };
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  return parseHead(value["head"]) ?? parseHead(value["data"]) ?? parseHead(value);
}

const block = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;

/** The public keys of a PEM file, one or several. Undefined when there is none, or one cannot be read. */
export function parsePublicKeys(pem: string): readonly KeyObject[] | undefined {
  const blocks = pem.match(block) ?? [];
  try {
    const keys = blocks.map((one) => createPublicKey(one));
    return keys.length === 0 ? undefined : keys;
  } catch {
    return undefined;
  }
}
