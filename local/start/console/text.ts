import { stripVTControlCharacters } from "node:util";
import { toPrintable } from "../../../shared/app.ts";

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

/** Returns 80 for output that is not a terminal, and for a terminal that does not report its width. */
export function measureTerminal({ columns = 0 }: { readonly columns?: number }): number {
  return columns > 0 ? columns : 80;
}

/**
 * Wraps each line of a text between words. Continuation lines have the indent of their line plus `hang`. A word that is longer
 * than the width, such as a path that a person wants to copy, is not broken. Colours do not count.
 */
export function wrapText(text: string, width: number, hang = 2): string {
  return text
    .split("\n")
    .flatMap((line) => wrapLine(line, width, hang))
    .join("\n");
}

function wrapLine(text: string, width: number, hang: number): string[] {
  const indent = " ".repeat(text.search(/\S|$/) + hang);
  const lines: string[] = [];
  let line = "";
  for (const [, gap = "", word = ""] of text.matchAll(/(\s*)(\S+)/g)) {
    const longer = line + gap + word;
    if (line === "" || stripVTControlCharacters(longer).length <= width) line = longer;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line];
}
