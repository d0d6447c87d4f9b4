/** Characters that a terminal interprets instead of showing, such as escape sequences and marks that reverse text. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Makes one safe line for a terminal: characters that the terminal would interpret are escaped as in JSON, such as `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(
    unprintable,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
