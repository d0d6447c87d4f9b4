import { stripVTControlCharacters as plain } from "node:util";
import { expect, test } from "vitest";
import { formatBreach } from "../../cli/breach/breach-record.ts";
import { exitCodeOfBreach, formatBreachProgress } from "../../cli/breach/follow-breach.ts";
import { escapeJson } from "../../cli/output/print.ts";
import { type Column, formatRecord, formatTable } from "../../cli/output/table.ts";
import { formatSeconds, formatTaken, longTime } from "../../cli/output/times.ts";
import { lengthOf, measureWidth } from "../../cli/output/width.ts";
import { explainUsage } from "../../cli/usage.ts";
import { formatProgress } from "../../cli/verbs/follow.ts";
import { freezeColumns } from "../../cli/verbs/freeze-record.ts";
import { historyColumns } from "../../cli/verbs/rotation-record.ts";

interface Row {
  readonly id: string;
  readonly note?: string;
}
const columns: readonly Column<Row>[] = [
  { heading: "ID", read: ({ id }) => id },
  { heading: "NOTE", read: ({ note }) => note, min: 6 },
];

test("the columns of a table are aligned, and no line ends with blanks", () => {
  const table = formatTable([{ id: "orders", note: "late" }, { id: "a" }], columns, 80);
  expect(plain(table)).toBe("ID      NOTE\norders  late\na       -");
});

test("a long cell is cut so that every line fits the width", () => {
  const table = formatTable([{ id: "orders", note: "n".repeat(200) }], columns, 30);
  expect(table.split("\n").map(lengthOf)).toEqual([12, 30]);
  expect(table).toMatch(/n…$/);
});

test("a column that must not be cut keeps its width on a narrow terminal", () => {
  const id = "i".repeat(50);
  expect(formatTable([{ id, note: "something" }], columns, 40)).toContain(`${id}  somet…`);
});

test("the history and the freezes fit a terminal of 60 columns, without the least important", () => {
  const [id, at] = ["01JQ0000000000000000000000", "2026-12-20T18:00:00.000Z"];
  const why = "a reason of some length";
  const rotation = {
    ...{ rotationId: id, targetId: "orders", duration: 61_000 },
    ...({ state: "queued", cause: "operator" } as const),
    ...{ requestedBy: "ada", requestedAt: at, why, queuedWhy: why, policyFingerprint: "f" },
    phases: [],
  };
  const freeze = {
    ...{ id, reason: why, at, by: "ada", from: at, until: at },
    ...{ lift: [], matches: 3, selection: {} },
    state: "in force" as const,
  };
  const history = (width: number) => plain(formatTable([rotation], historyColumns, width));
  const freezes = (width: number) => plain(formatTable([freeze], freezeColumns, width));
  for (const text of [history(60), freezes(60)]) {
    expect(Math.max(...text.split("\n").map(lengthOf))).toBeLessThanOrEqual(60);
    expect(text).toContain(id);
    expect(text).toContain("2026-12-20 18:00");
  }
  expect(history(60)).not.toContain("operator");
  expect(history(80)).toContain("operator");
  expect(freezes(80)).toMatch(/TARGETS +REASON/);
});

test("a long value of a record continues below its beginning", () => {
  const record = formatRecord(
    [
      ["Why", "one two three four five six"],
      ["Absent", undefined],
    ],
    25,
  );
  expect(plain(record)).toBe("Why  one two three four\n     five six");
});

test("control characters of values are escaped in tables, records and JSON", () => {
  const evil = "\u001b[31mred\u202e\u2028";
  const escaped = "\\u001b[31mred\\u202e\\u2028";
  expect(formatTable([{ id: "a", note: evil }], columns, 80)).toContain(escaped);
  expect(plain(formatRecord([["Name", evil]], 80))).toBe(`Name  ${escaped}`);
  const json = escapeJson(JSON.stringify({ evil: `${evil}\u{e0041}` }));
  expect(json).toMatch(/^[\x20-\x7e]+$/);
  expect(JSON.parse(json)).toEqual({ evil: `${evil}\u{e0041}` });
});

test("the width is that of the terminal, of COLUMNS, or 80", () => {
  expect(measureWidth({ columns: 120 }, { COLUMNS: "60" })).toBe(120);
  expect(measureWidth({}, { COLUMNS: "60" })).toBe(60);
  expect(measureWidth({}, { COLUMNS: "wide" })).toBe(80);
  expect(measureWidth({}, {})).toBe(80);
});

test("times show their distance from now in two units", () => {
  const now = Date.parse("2026-12-20T18:00:00.000Z");
  expect(longTime("2026-12-23T22:30:00.000Z", now)).toBe("2026-12-23 22:30 UTC (in 3d 4h)");
  expect(longTime("2026-12-20T17:59:30.000Z", now)).toBe("2026-12-20 17:59 UTC (30s ago)");
  expect(longTime(undefined, now)).toBeUndefined();
  expect([0, 999, 86_400_000, 86_460_500].map(formatSeconds)).toEqual(["0s", "0s", "1d", "1d 1m"]);
  expect([0, 450, 61_450].map(formatTaken)).toEqual(["0s", "450ms", "1m 1s"]);
  expect(formatTaken(undefined)).toBeUndefined();
});

test("a line of progress shows the phases that are done, the present one and the rest", () => {
  const at = "2026-12-20T18:00:00.000Z";
  const rotation = {
    ...{ rotationId: "01M8DN458WR7MW66ZTVCCEXGYW", targetId: "orders", state: "running" as const },
    ...{ cause: "operator" as const, requestedBy: "me", requestedAt: at, why: "requested" },
    policyFingerprint: "f",
    phases: [
      { phase: "staging" as const, startedAt: at, endedAt: at },
      { phase: "applying" as const, startedAt: at },
    ],
  };
  expect(formatProgress(rotation, 65_000)).toBe(
    "orders 1m 5s ✓ staging ▸ applying · publishing · checking · refreshing · cleaning",
  );
  const queued = { ...rotation, state: "queued" as const, phases: [], queuedWhy: "freeze: audit" };
  expect(formatProgress({ ...queued, queuedUntil: at }, 1_000)).toBe(
    `orders 1s queued waits until ${at}: freeze: audit`,
  );
});

test("messages of the library become sentences that name the help", () => {
  expect(explainUsage("error: unknown option '--garce'\n(Did you mean --grace?)", "rotate")).toBe(
    "Unknown option '--garce'. Did you mean --grace? `keyturn rotate --help` lists its options.",
  );
  expect(explainUsage("error: unknown command 'x'", undefined)).toBe(
    "Unknown command 'x'. `keyturn --help` lists the commands.",
  );
});

test("messages of the library do not repeat a password that was typed as an argument", () => {
  const many =
    "error: too many arguments for 'import'. Expected 1 argument but got 2: a, hunter: 2";
  expect(explainUsage(many, "import")).toBe(
    "Too many arguments for 'import'. Expected 1 argument but got 2. `keyturn import --help` lists its options.",
  );
  expect(explainUsage("error: unknown option '--password=hunter='2'", "import")).toBe(
    "Unknown option '--password'. `keyturn import --help` lists its options.",
  );
  const typed = [
    ["-phunter22secret", "-p"],
    ["-p=hunter'22", "-p"],
    ["--p4ssword hunter\n22", "--p"],
    ["-!secret", "-"],
    ["-", "-"],
  ] as const;
  for (const [option, shown] of typed) {
    expect(explainUsage(`error: unknown option '${option}'`, "import")).toBe(
      `Unknown option '${shown}'. \`keyturn import --help\` lists its options.`,
    );
  }
});

const counts = { waiting: 0, begun: 0, rotated: 0, failed: 0, blocked: 0, unfinished: 0, left: 0 };
const breach = {
  ...{ id: "01M8DN458WR7MW66ZTVCCEXGYX", state: "running" as const, reason: "theft", by: "ada" },
  ...{ at: "2026-12-01T00:00:00.000Z", expiresAt: "2026-12-01T01:00:00.000Z", selection: {} },
  ...{ giveUpAfter: 900_000, remainingSeconds: 42 },
  counts: { ...counts, rotated: 450, failed: 50, begun: 20, waiting: 480 },
  summary: {
    ...{ targets: 1_000, withGap: 0, keepOldPassword: 0 },
    ...{ obstacles: {}, consumers: [], otherConsumers: 0 },
  },
  estimate: { seconds: 84, limitedBy: "vault main", vaults: [], servers: [] },
};

test("the progress of a breach is a bar with what is done, under way and left", () => {
  expect(formatBreachProgress(breach)).toBe(
    "██████████░░░░░░░░░░ 500/1000  450 rotated, 50 not, 20 under way, about 42s left",
  );
  expect(formatBreachProgress({ ...breach, state: "paused" })).toMatch(/20 under way, paused$/);
});

test("the progress of a breach says how many targets wait and for what, and no time", () => {
  const { remainingSeconds: _, ...rest } = breach;
  const waiting = { ...rest, waits: { targets: 15, why: "frozen until noon" } };
  expect(formatBreachProgress(waiting)).toMatch(/, 5 under way, 15 wait \(frozen until noon\)$/);
  const record = formatBreach(waiting, Date.parse(breach.at));
  expect(record).toMatch(/Time left +unknown while 15 targets wait/);
  expect(record).toMatch(/Under way +5\n/);
  expect(record).toMatch(/Delayed +15: frozen until noon/);
});

test("the preview of a breach names the options that help against obstacles", () => {
  const summary = { ...breach.summary, obstacles: { frozen: 2, paused: 1, failing: 1 } };
  const preview = { ...breach, state: "preview" as const, summary };
  const record = formatBreach(preview, Date.parse(breach.at)).replace(/\s+/g, " ");
  expect(record).toContain(
    "2 frozen (--lift-freezes rotates them now), 1 paused (--force rotates them now), 1 failing",
  );
  expect(record).toContain("longer for targets with obstacles");
});

test("a breach ends with 0 only when every target was rotated", () => {
  const ended = { ...breach, state: "ended" as const };
  expect(exitCodeOfBreach(breach)).toBe(5);
  expect(exitCodeOfBreach(ended)).toBe(1);
  expect(exitCodeOfBreach({ ...ended, counts: { ...counts, rotated: 1_000 } })).toBe(0);
});
