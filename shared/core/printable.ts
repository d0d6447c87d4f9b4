/**
 * Characters that a terminal acts on instead of showing: controls and escape sequences, line and paragraph separators, marks that
 * reverse the direction of a text, invisible ones, and halves of surrogate pairs.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text as one line for a terminal. Characters that a terminal would act on are escaped as in JSON, such as `\u001b`. */
export function toPrintable(text: string): string {
  return text.replaceAll(
    unprintable,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Like `toPrintable`, but keeps the line breaks. */
export function toPrintableLines(text: string): string {
  return text.split("\n").map(toPrintable).join("\n");
}
