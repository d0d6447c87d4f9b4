/** A text that must not contain a secret. */
export interface Place {
  readonly name: string;
  readonly text: string;
}

const keyLength = 8;

/** Shorter secrets would match by chance. */
const minSecretLength = 12;

/** A half of a shorter secret would match by chance. */
const minLengthInHalves = 24;

/**
 * Finds the places in which a secret occurs: plain, URL-encoded, JSON-escaped, in hex, or in base64, also of UTF-16, alone or as
 * part of a longer text; in capitals or small letters; broken by blanks and line breaks; or only its first or last half. Returns
 * the place and the surrounding text without the secret.
 */
export function leaksIn(places: readonly Place[], secrets: Iterable<string>): string[] {
  const index = makeIndex(secrets);
  return places.flatMap(({ name, text }) => {
    const found = firstIn(unbroken(text), index);
    return found === undefined ? [] : [`${name}: ${found}`];
  });
}

/** Without blanks, line breaks (also escaped ones) and invisible characters, in small letters. */
function unbroken(text: string): string {
  return text.replaceAll(/\\+[nrt]|[\s\p{Cc}\p{Cf}]/gu, "").toLowerCase();
}

/** Every way of writing each secret, by its first characters. */
function makeIndex(secrets: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const index = new Map<string, string[]>();
  for (const secret of secrets) {
    if (secret.length < minSecretLength) throw new Error("A secret is too short to be looked for.");
    for (const needle of listNeedles(secret)) {
      const key = needle.slice(0, keyLength);
      index.set(key, [...(index.get(key) ?? []), needle]);
    }
  }
  return index;
}

/** A stored JSON object begins with what is no secret; its password is looked for by itself. */
function listNeedles(secret: string): string[] {
  const inHalves = secret.length >= minLengthInHalves && !secret.startsWith("{");
  return [...spellings(secret)].map(unbroken).flatMap((text) => {
    const half = Math.ceil(text.length / 2);
    return inHalves ? [text.slice(0, half), text.slice(-half)] : [text];
  });
}

function firstIn(text: string, index: ReadonlyMap<string, readonly string[]>): string | undefined {
  for (let at = 0; at + keyLength <= text.length; at++) {
    const candidates = index.get(text.slice(at, at + keyLength));
    const found = candidates?.find((needle) => text.startsWith(needle, at));
    if (found === undefined) continue;
    const before = text.slice(Math.max(0, at - 200), at);
    return `${before}[HERE]${text.slice(at + found.length, at + found.length + 60)}`;
  }
  return undefined;
}

function spellings(secret: string): ReadonlySet<string> {
  const [bytes, wide] = [Buffer.from(secret), Buffer.from(secret, "utf16le")];
  const reversed = Buffer.from(wide).swap16();
  const json = JSON.stringify(secret).slice(1, -1);
  const escaped = json.replaceAll(
    /[^ -~]|[<>&'+]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return new Set([
    secret,
    bytes.toString("latin1"),
    json,
    escaped,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams({ s: secret }).toString().slice(2),
    bytes.join(","),
    ...[bytes, wide, reversed].flatMap((encoded) => [
      encoded.toString("hex"),
      ...[0, 1, 2].flatMap((shift) => base64Within(encoded, shift)),
    ]),
  ]);
}

/** What is the same in base64 whatever stands `shift` bytes (modulo three) before it and behind it. */
function base64Within(bytes: Buffer, shift: number): string[] {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString("base64")
    .replace(/=+$/, "");
  const whole = Math.floor(((shift + bytes.length) * 8) / 6);
  const inner = text.slice(Math.ceil((shift * 8) / 6), whole);
  return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
}
