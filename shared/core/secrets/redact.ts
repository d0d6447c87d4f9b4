import { fold, type Folded } from "./redaction/fold.ts";
import {
  keyLength,
  type Needle,
  type Part,
  search,
  toIndex,
  toNeedles,
} from "./redaction/search.ts";
import { listSpellings } from "./redaction/spellings.ts";
import type { Secret } from "./secret.ts";

/** Shorter spellings are not redacted: they occur by chance, and their removal would reveal them. */
const minLength = 4;

/**
 * Replaces every form of the secrets in `text` by `[secret]`. Secrets of at least 8 characters are found in upper and lower case and
 * across lines. Secrets of at least 16 characters are also found if only their first or last half is present.
 */
export function redact(text: string, secrets: readonly Secret[]): string {
  const values = [...new Set(secrets)];
  const found = [
    ...values.flatMap((secret) => exactParts(text, secret)),
    ...foldedParts(text, values),
  ].sort((a, b) => a.from - b.from);
  let redacted = "";
  let end = 0;
  let last: Secret | undefined;
  // All places are found before any is removed, because removing one could leave half of another secret in the text.
  for (const { from, to, secret } of found) {
    const isPiece = from === end && secret === last;
    if (from >= end && !isPiece) redacted += `${text.slice(end, from)}[secret]`;
    if (to > end) last = secret;
    end = Math.max(end, to);
  }
  return redacted + text.slice(end);
}

interface Form {
  readonly exact: readonly string[];
  readonly needles: readonly Needle[];
}

/** A cache: a secret has many forms, and many texts are searched for it. */
const knownForms = new WeakMap<Secret, Form>();

function toForm(secret: Secret): Form {
  const known = knownForms.get(secret);
  if (known) return known;
  const value = secret.reveal();
  const forms = listSpellings(value).filter((form) => form.length >= minLength);
  const isLong = value.length >= keyLength;
  const folded = new Map(forms.map((form) => [form, fold(form).text]));
  const isFolded = (form: string) => isLong && (folded.get(form) ?? "").length >= keyLength;
  const mayBePart = value.length >= 2 * keyLength;
  const made = {
    exact: forms.filter((form) => !isFolded(form)),
    needles: [...new Set(forms.filter(isFolded).map((form) => folded.get(form) ?? ""))].flatMap(
      (form) => toNeedles(form, mayBePart),
    ),
  };
  knownForms.set(secret, made);
  return made;
}

interface Found extends Part {
  readonly secret: Secret;
}

function exactParts(text: string, secret: Secret): Found[] {
  return toForm(secret).exact.flatMap((form) => {
    const found: Found[] = [];
    for (let from = text.indexOf(form); from >= 0; from = text.indexOf(form, from + 1)) {
      found.push({ from, to: from + form.length, secret });
    }
    return found;
  });
}

function foldedParts(text: string, secrets: readonly Secret[]): Found[] {
  if (text.length < keyLength) return [];
  const index = toIndex(secrets.map((secret) => [secret, toForm(secret).needles] as const));
  const texts = [fold(text), ...(/\\[nrt\r\n\\]/.test(text) ? [fold(text, true)] : [])];
  return texts.flatMap((folded) =>
    search(folded.text, index).map(({ from, to, of }) => original(folded, from, to, of)),
  );
}

function original({ at }: Folded, from: number, to: number, secret: Secret): Found {
  return { from: at[from] ?? 0, to: (at[to - 1] ?? 0) + 1, secret };
}
