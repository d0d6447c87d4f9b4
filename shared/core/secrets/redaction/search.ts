/** How many characters identify a possible match. Shorter needles would match by chance. */
export const keyLength = 8;

/** Longer forms are searched in pieces, so that no single comparison takes long. */
const maxPieceLength = 256;

/** A text to find. Its key begins at `anchor`, and at least `minLength` characters from there must match. */
export interface Needle {
  readonly text: string;
  readonly anchor: number;
  readonly minLength: number;
}

/** Characters from the first one to the one before `to`. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** The needles for a folded form: the whole form, or its first and last half if `mayBePart`. */
export function toNeedles(form: string, mayBePart: boolean): Needle[] {
  if (form.length > 2 * maxPieceLength) return toPieces(form);
  const half = Math.ceil(form.length / 2);
  const [first, last] = [form.slice(0, half), form.slice(-half)];
  if (!mayBePart) return [{ text: form, anchor: 0, minLength: form.length }];
  return [
    { text: form, anchor: 0, minLength: isTelling(first) ? half : form.length },
    ...(isTelling(last) ? [{ text: form, anchor: form.length - half, minLength: half }] : []),
  ];
}

function toPieces(form: string): Needle[] {
  const count = Math.ceil(form.length / maxPieceLength);
  const pieces = Array.from({ length: count }, (_, index) => {
    // The last piece overlaps the one before it.
    const from = Math.min(index * maxPieceLength, form.length - maxPieceLength);
    return form.slice(from, from + maxPieceLength);
  });
  return [...new Set(pieces)].map((text) => ({ text, anchor: 0, minLength: text.length }));
}

/** A text of letters only may be an ordinary word in a message, such as the name of a system. */
function isTelling(half: string): boolean {
  return !/^\p{L}*$/u.test(half);
}

interface Entry<Of> {
  readonly of: Of;
  readonly needle: Needle;
}

export type Index<Of> = ReadonlyMap<string, readonly Entry<Of>[]>;

/** All needles by the characters at their anchor. */
export function toIndex<Of>(all: readonly (readonly [Of, readonly Needle[]])[]): Index<Of> {
  const index = new Map<string, Entry<Of>[]>();
  for (const [of, needles] of all) {
    for (const needle of needles) {
      const key = needle.text.slice(needle.anchor, needle.anchor + keyLength);
      const entries = index.get(key);
      if (entries) entries.push({ of, needle });
      else index.set(key, [{ of, needle }]);
    }
  }
  return index;
}

/** Visits each position of the text once, however many needles there are. `onCompare` is called for each compared character. */
export function search<Of>(
  text: string,
  index: Index<Of>,
  onCompare?: () => void,
): (Part & { readonly of: Of })[] {
  const found: (Part & { readonly of: Of })[] = [];
  if (index.size === 0) return found;
  for (let place = 0; place + keyLength <= text.length; place++) {
    for (const { needle, of } of index.get(text.slice(place, place + keyLength)) ?? []) {
      const part = partAt(text, place, needle, onCompare);
      if (part) found.push({ ...part, of });
    }
  }
  return found;
}

/** The part of the needle found at the position; undefined if it is too short. */
function partAt(
  text: string,
  place: number,
  { text: wanted, anchor, minLength }: Needle,
  onCompare?: () => void,
): Part | undefined {
  let to = place + keyLength;
  let [from, end] = [place, place + wanted.length - anchor];
  while (to < end && text.charCodeAt(to) === wanted.charCodeAt(to - place + anchor)) {
    to++;
    onCompare?.();
  }
  if (to - place < minLength) return undefined;
  end = place - anchor;
  while (
    from > end &&
    from > 0 &&
    text.charCodeAt(from - 1) === wanted.charCodeAt(from - 1 - end)
  ) {
    from--;
    onCompare?.();
  }
  return { from, to };
}
