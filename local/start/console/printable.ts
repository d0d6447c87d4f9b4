/** Characters that a terminal acts on instead of showing, such as escape sequences and marks that reverse a text. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** One line for a terminal. What it must not act on is spelled as in JSON, such as `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(
    unprintable,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
