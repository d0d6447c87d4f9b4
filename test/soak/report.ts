/** What one kind of fault led to. */
export interface Row {
  rounds: number;
  /** Targets without a stored password that works. */
  lost: number;
  /** Targets that a request did not repair within three minutes, and that recovered later without another request. */
  late: number;
  /** Targets that were blocked, did not recover by themselves, or never recovered. */
  needsPerson: number;
  /** The part of those targets without an alarm. */
  withoutAlarm: number;
  /** Different alarms in the meantime. */
  alarms: number;
  /** Log-ins that were refused because of the fault itself, until the target worked again. */
  keptOut: number;
  /** Log-ins of pairs that were refused although the fault did not prevent them. */
  refused: number;
  /** The longest time, in milliseconds, that a single account was refused although the fault did not prevent log-ins. */
  maxGapMs: number;
}

export interface Totals {
  logIns: number;
  rotations: number;
}

export interface Report {
  readonly rows: ReadonlyMap<string, Row>;
  /** Returns the row of a fault, and makes it in the first round of the fault. */
  row(fault: string): Row;
  readonly totals: Totals;
  /** The findings in order, one sentence each. */
  readonly notes: string[];
}

export function newReport(): Report {
  const rows = new Map<string, Row>();
  return {
    rows,
    totals: { logIns: 0, rotations: 0 },
    notes: [],
    row(fault) {
      const row = rows.get(fault) ?? emptyRow();
      rows.set(fault, row);
      return row;
    },
  };
}

const emptyRow = (): Row => ({
  ...{ rounds: 0, lost: 0, late: 0, needsPerson: 0, withoutAlarm: 0, alarms: 0, refused: 0 },
  ...{ keptOut: 0, maxGapMs: 0 },
});

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const columns: readonly (readonly [string, (row: Row) => string | number])[] = [
  ["rounds", (row) => row.rounds],
  ["lost", (row) => row.lost],
  ["late", (row) => row.late],
  ["needs a person", (row) => row.needsPerson],
  ["without an alarm", (row) => row.withoutAlarm],
  ["alarms", (row) => row.alarms],
  ["kept out", (row) => row.keptOut],
  ["refused (pairs)", (row) => row.refused],
  ["longest gap (single)", (row) => (row.maxGapMs === 0 ? "–" : seconds(row.maxGapMs))],
];

/** Returns the lines of the table as Markdown. */
export function formatTable(rows: ReadonlyMap<string, Row>): string[] {
  const cells = [...rows].map(([fault, row]) => [
    fault,
    ...columns.map(([, of]) => String(of(row))),
  ]);
  const all = [["fault", ...columns.map(([title]) => title)], ...cells];
  const widths =
    all[0]?.map((_, at) => Math.max(...all.map((line) => line[at]?.length ?? 0))) ?? [];
  const lineOf = (line: readonly string[]) =>
    `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = all;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [lineOf(head), rule, ...body.map(lineOf)];
}

export function sumUp(rows: ReadonlyMap<string, Row>): Row {
  const sum = emptyRow();
  for (const row of rows.values()) {
    sum.rounds += row.rounds;
    sum.lost += row.lost;
    sum.late += row.late;
    sum.needsPerson += row.needsPerson;
    sum.withoutAlarm += row.withoutAlarm;
    sum.alarms += row.alarms;
    sum.keptOut += row.keptOut;
    sum.refused += row.refused;
    sum.maxGapMs = Math.max(sum.maxGapMs, row.maxGapMs);
  }
  return sum;
}
