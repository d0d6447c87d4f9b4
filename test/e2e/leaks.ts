/** Something in which no secret may be. */
export interface Place {
  readonly name: string;
  readonly text: string;
}

const prefixLength = 8;

/** Shorter secrets would be found by chance. */
const shortestSecret = 12;

/**
 * Says in which places a secret occurs: as it stands, URL-encoded, JSON-escaped, in hex, or in base64, alone or as part
 * of a longer text. Tells the place and the surroundings, not the secret.
 */
export function leaksIn(places: readonly Place[], secrets: Iterable<string>): string[] {
  const index = indexOf(secrets);
  return places.flatMap(({ name, text }) => {
    const found = firstIn(text, index);
    return found === undefined ? [] : [`${name}: ${found}`];
  });
}

/** Every way of writing each secret, by its first characters. */
function indexOf(secrets: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const index = new Map<string, string[]>();
  for (const secret of secrets) {
    if (secret.length < shortestSecret) throw new Error("A secret is too short to be looked for.");
    for (const spelling of spellings(secret)) {
      const prefix = spelling.slice(0, prefixLength);
      index.set(prefix, [...(index.get(prefix) ?? []), spelling]);
    }
  }
  return index;
}

function firstIn(text: string, index: ReadonlyMap<string, readonly string[]>): string | undefined {
  for (let at = 0; at + prefixLength <= text.length; at++) {
    const candidates = index.get(text.slice(at, at + prefixLength));
    const found = candidates?.find((spelling) => text.startsWith(spelling, at));
    if (found === undefined) continue;
    const before = text.slice(Math.max(0, at - 200), at);
    return `${before}[HERE]${text.slice(at + found.length, at + found.length + 60)}`;
  }
  return undefined;
}

function spellings(secret: string): ReadonlySet<string> {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const json = JSON.stringify(secret).slice(1, -1);
  return new Set([
    secret,
    bytes.toString("latin1"),
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams({ s: secret }).toString().slice(2),
    hex,
    hex.toUpperCase(),
    ...[0, 1, 2].flatMap((shift) => base64Within(bytes, shift)),
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
