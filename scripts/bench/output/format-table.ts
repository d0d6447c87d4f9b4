/** One line of the result: what was measured, the value, and what the reader must know about it. */
export interface Row {
  readonly what: string;
  readonly value: string;
  readonly note?: string;
}

/** Cells of a table by line; the first line is the head. */
export type Grid = readonly (readonly string[])[];

/** Formats rows as a Markdown table. */
export function formatTable(rows: readonly Row[]): string {
  return formatGrid([
    ["Figure", "Value", "Note"],
    ...rows.map(({ what, value, note = "" }) => [what, value, note]),
  ]);
}

/** Formats a grid as a Markdown table with aligned columns. */
export function formatGrid(grid: Grid): string {
  const [head = [], ...body] = grid;
  const widths = head.map((_, at) => Math.max(...grid.map((line) => line[at]?.length ?? 0)));
  const lineOf = (line: readonly string[]) =>
    `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [lineOf(head), rule, ...body.map(lineOf)].join("\n");
}

/** Formats a number with this many decimals and with separators for thousands. */
export const number = (value: number, digits = 0): string =>
  Number.isFinite(value)
    ? value.toLocaleString("en-US", {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      })
    : "–";

/** Formats milliseconds in a readable unit. */
export const duration = (ms: number): string => {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 1_000) return `${number(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 600) return `${number(seconds, seconds < 100 ? 1 : 0)} s`;
  return seconds < 7_200 ? `${number(seconds / 60)} min` : `${number(seconds / 3_600, 1)} h`;
};

/** Formats bytes as MiB. */
export const mebibytes = (bytes: number): string => `${number(bytes / 2 ** 20)} MiB`;
