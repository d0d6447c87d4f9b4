/**
 * Characters that a terminal acts on instead of showing: controls and escape sequences, line and paragraph separators, marks that
 * reverse the direction of a text, invisible ones, and halves of surrogate pairs.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** One line for a terminal. What it must not act on is spelled as in JSON, such as `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(
    unprintable,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The same for a text whose line breaks are meant. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
