/** A text in the form that is searched, with the position of each character in the original. */
export interface Folded {
  readonly text: string;
  readonly at: Uint32Array;
}

const backslash = 92;

/**
 * Converts the text to lower case without blanks, line breaks and invisible characters, so that a secret is found in capitals and
 * across lines. `withoutEscapes` also leaves out line breaks that JSON or a shell has escaped, such as `\n`.
 */
export function fold(text: string, withoutEscapes = false): Folded {
  const units = new Uint16Array(text.length);
  const at = new Uint32Array(text.length);
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (withoutEscapes && unit === backslash) {
      const end = escapeEnd(text, index);
      if (end > index) {
        index = end - 1;
        continue;
      }
    }
    const folded = unit < 128 ? foldAscii(unit) : foldOther(unit);
    if (folded === undefined) continue;
    units[length] = folded;
    at[length++] = index;
  }
  const kept = Buffer.from(units.buffer, 0, length * 2);
  return { text: kept.toString("utf16le"), at: at.subarray(0, length) };
}

/** Behind `\n`, `\r` or `\t` at `start`, however often it was escaped, or before a real line break; otherwise `start`. */
function escapeEnd(text: string, start: number): number {
  let end = start;
  while (text.charCodeAt(end) === backslash) end++;
  const next = text.charAt(end);
  if (next !== "" && "nrt".includes(next)) return end + 1;
  return next === "\n" || next === "\r" ? end : start;
}

function foldAscii(unit: number): number | undefined {
  if (unit <= 32 || unit === 127) return undefined;
  return unit >= 65 && unit <= 90 ? unit + 32 : unit;
}

const known = new Map<number, number | undefined>();

const invisible = /^[\s\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}]$/u;

/** Folds each unit by itself, because the result must not depend on its neighbours. */
function foldOther(unit: number): number | undefined {
  if (known.has(unit)) return known.get(unit);
  const character = String.fromCharCode(unit);
  const lower = character.toLowerCase();
  const visible = (lower.length === 1 ? lower : character).charCodeAt(0);
  const folded = invisible.test(character) ? undefined : visible;
  known.set(unit, folded);
  return folded;
}
