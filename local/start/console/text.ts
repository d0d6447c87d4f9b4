import { stripVTControlCharacters } from "node:util";

/** Characters that a terminal interprets instead of showing, such as escape sequences and marks that reverse text. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Makes one safe line for a terminal: characters that the terminal would interpret are escaped as in JSON, such as `\u001b`. */
export function toPrintable(text: string): string {
  return text.replaceAll(
    unprintable,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Formats rows as a table with columns as wide as their longest cell. The first row is the heading. */
export function formatTable(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(toPrintable));
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [...lines.slice(0, 1), rule, ...lines.slice(1)].join("\n");
}

/** Columns, for output that is not a terminal or a terminal that does not report its width. */
const defaultWidth = 80;

export function measureTerminal({ columns }: { readonly columns?: number }): number {
  return columns === undefined || columns <= 0 ? defaultWidth : columns;
}

/**
 * Wraps a text between words into lines of at most `width` characters. A longer word, such as a path that a person wants to
 * copy, is not broken and gets its own line. Colours do not count.
 */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const [, gap = "", word = ""] of text.matchAll(/(\s*)(\S+)/g)) {
    const longer = line + gap + word;
    if (line.trim() === "" || visibleLength(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** Wraps each line of a text. Continuation lines have the indent of their line plus `hang`. */
export function wrapText(text: string, width: number, hang = 2): string {
  return text
    .split("\n")
    .map((line) => {
      if (visibleLength(line) <= width) return line;
      const indent = /^ */.exec(line)?.[0].length ?? 0;
      const [first = "", ...rest] = wrapWords(line, width);
      if (rest.length === 0) return first;
      const further = wrapWords(rest.join(" "), width - indent - hang);
      return [first, ...further.map((it) => " ".repeat(indent + hang) + it)].join("\n");
    })
    .join("\n");
}

/** Wraps a command into lines that a shell reads as one command. Breaks only between the given words. */
export function wrapCommand(words: readonly string[], width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line === "") line = word;
    else if (line.length + 1 + word.length + 2 <= width) line = `${line} ${word}`;
    else {
      lines.push(line);
      line = `  ${word}`;
    }
  }
  return [...lines, line].join(" \\\n");
}

const visibleLength = (text: string): number => stripVTControlCharacters(text).length;
