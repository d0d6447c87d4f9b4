/** One line of the result: what was measured, the value, and what the reader must know about it. */
export interface Row {
  readonly what: string;
  readonly value: string;
  readonly note?: string;
}

/** Rows as a Markdown table whose columns are aligned. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [
    ["Figure", "Value", "Note"],
    ...rows.map(({ what, value, note = "" }) => [what, value, note]),
  ];
  const widths = [0, 1, 2].map((at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const lineOf = (line: readonly string[]) =>
    `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = lines;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [lineOf(head), rule, ...body.map(lineOf)].join("\n");
}

/** With so many digits after the point, and separators for thousands. */
export const number = (value: number, digits = 0): string =>
  Number.isFinite(value)
    ? value.toLocaleString("en-US", {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      })
    : "–";

/** Milliseconds as seconds; below one second as milliseconds. */
export const duration = (ms: number): string => {
  if (!Number.isFinite(ms)) return "–";
  return ms < 1_000 ? `${number(ms)} ms` : `${number(ms / 1_000, ms < 100_000 ? 1 : 0)} s`;
};

/** Bytes as MiB. */
export const mebibytes = (bytes: number): string => `${number(bytes / 2 ** 20)} MiB`;
