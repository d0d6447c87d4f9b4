import { stripVTControlCharacters } from "node:util";

/** Columns of a stream: those of the terminal, else of COLUMNS, else 80. */
export function measureWidth(
  { columns = 0 }: { readonly columns?: number } = process.stdout,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): number {
  if (columns > 0) return columns;
  const written = Number(environment["COLUMNS"]);
  return Number.isInteger(written) && written >= 20 ? written : 80;
}

/** Characters that a terminal shows. Colours do not count. */
export function lengthOf(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}

/** Cuts a text without colours to a length, with an ellipsis where something is missing. */
export function cut(text: string, length: number): string {
  const characters = Array.from(text);
  if (characters.length <= length) return text;
  return `${characters.slice(0, Math.max(0, length - 1)).join("")}…`;
}

/** Breaks a text between words into lines of at most this length. A longer word, such as a path, is not broken. */
export function wrap(text: string, length: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && lengthOf(longer) > length) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
