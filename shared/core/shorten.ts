/** Characters of an explanation that a record keeps: patterns, reasons and messages can have any length. */
export const maxWhyLength = 1_000;

/** Characters of the name of a person, a program or a place that a record keeps. */
export const maxNameLength = 200;

/** The text, or its beginning in at most `maxLength` characters; never half of a surrogate pair. */
export function shorten(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const isPairCut = /[\uD800-\uDBFF]/.test(text.charAt(maxLength - 1));
  return text.slice(0, isPairCut ? maxLength - 1 : maxLength);
}
