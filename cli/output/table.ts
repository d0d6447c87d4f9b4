import { toPrintable } from "../../shared/app.ts";
import { colour } from "./colour.ts";
import { cut, lengthOf, measureWidth, wrap } from "./width.ts";

export interface Column<Row> {
  readonly heading: string;
  readonly read: (row: Row) => string | undefined;
  /** The least width to which the column may be cut. Absent: it is never cut. */
  readonly min?: number;
  /** Left out on a narrow terminal, where a line would be broken. */
  readonly isOptional?: true;
  /** Colours a cell that is padded already. */
  readonly style?: (cell: string) => string;
}

const gap = "  ";

/** Formats rows as aligned columns. Cells of flexible columns are cut, the longest first, until a line fits the width. */
export function formatTable<Row>(
  rows: readonly Row[],
  all: readonly Column<Row>[],
  width: number = measureWidth(),
): string {
  const columns = chooseColumns(rows, all, width);
  const cells = rows.map((row) => columns.map(({ read }) => toPrintable(read(row) ?? "-")));
  const headings = columns.map(({ heading }) => heading);
  const natural = columns.map((column) => naturalWidth(rows, column));
  const widths = fitWidths(natural, columns, width);
  const line = (row: readonly string[], style: (cell: string, at: number) => string) =>
    row
      .map((cell, at) => {
        const shown = cut(cell, widths[at] ?? 0);
        // The end of a line needs no blanks.
        const isLast = at === row.length - 1;
        return style(isLast ? shown : shown.padEnd(widths[at] ?? 0), at);
      })
      .join(gap);
  const body = cells.map((row) => line(row, (cell, at) => columns[at]?.style?.(cell) ?? cell));
  return [line(headings, (cell) => colour("bold", cell)), ...body].join("\n");
}

function naturalWidth<Row>(rows: readonly Row[], { heading, read }: Column<Row>): number {
  return rows.reduce(
    (widest, row) => Math.max(widest, lengthOf(toPrintable(read(row) ?? "-"))),
    lengthOf(heading),
  );
}

/** Leaves out optional columns, the last first, until the others can fit the width. */
function chooseColumns<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number,
): readonly Column<Row>[] {
  const least = columns.map((one) => Math.min(naturalWidth(rows, one), one.min ?? Infinity));
  const needed = least.reduce((total, one) => total + one, gap.length * (columns.length - 1));
  const dropped = columns.findLastIndex((one) => one.isOptional === true);
  if (needed <= width || dropped === -1) return columns;
  return chooseColumns(rows, columns.toSpliced(dropped, 1), width);
}

function fitWidths<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  width: number,
): number[] {
  const widths = [...natural];
  const room = width - gap.length * (widths.length - 1);
  const sum = () => widths.reduce((total, one) => total + one, 0);
  while (sum() > room) {
    const flexible = widths
      .map((length, at) => ({ at, length, spare: length - (columns[at]?.min ?? length) }))
      .filter(({ spare }) => spare > 0)
      .sort((one, other) => other.length - one.length);
    const [widest] = flexible;
    if (!widest) return widths;
    widths[widest.at] = widest.length - 1;
  }
  return widths;
}

/** A name and a value of a record. Rows without a value are left out. */
export type Field = readonly [name: string, value: string | undefined, style?: typeof toPrintable];

/** Formats a record as lines of a name and a value. Long values continue on the next line below their beginning. */
export function formatRecord(fields: readonly Field[], width: number = measureWidth()): string {
  const shown = fields.filter(([, value]) => value !== undefined && value !== "");
  const indent = Math.max(0, ...shown.map(([name]) => name.length)) + gap.length;
  return shown
    .flatMap(([name, value = "", style]) => {
      const [first = "", ...rest] = wrap(toPrintable(value), Math.max(20, width - indent));
      const label = colour("bold", name.padEnd(indent));
      const style_ = style ?? ((text: string) => text);
      return [label + style_(first), ...rest.map((line) => " ".repeat(indent) + style_(line))];
    })
    .join("\n");
}
