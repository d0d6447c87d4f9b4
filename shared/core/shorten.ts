/** Characters of an explanation that a record keeps: patterns, reasons and messages can have any length. */
export const longestWhy = 1_000;

/** Characters of the name of a person, a program or a place that a record keeps. */
export const longestName = 200;

/** The text, or its beginning in at most `longest` characters; never half of a surrogate pair. */
export function shorten(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const isPairCut = /[\uD800-\uDBFF]/.test(text.charAt(longest - 1));
  return text.slice(0, isPairCut ? longest - 1 : longest);
}
