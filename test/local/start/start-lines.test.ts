import { describe, expect, test } from "vitest";
import type { TargetView } from "../../../local/start/console/api.ts";
import {
  clock,
  formatDuration,
  formatLine,
  formatSummary,
  type Standing,
  type Style,
} from "../../../local/start/console/lines.ts";
import { readStanding } from "../../../local/start/console/standing.ts";
import { readArguments, usage, UsageError } from "../../../local/start/console/start-arguments.ts";
import { formatTable, measureTerminal, wrapText } from "../../../local/start/console/text.ts";
import { withoutStack } from "../../../local/start/environment/child.ts";
import { type KeyturnEvent, readEvent } from "../../../local/start/environment/functions-host.ts";

const at = "2026-11-22T12:00:01.000Z";
const event = (more: Partial<KeyturnEvent>): KeyturnEvent => ({
  type: "staged",
  severity: "information",
  at,
  targetId: "orders",
  ...more,
});
const clientId = "3f1e0c52-6f5b-4a39-9d1f-0a1b2c3d4e5f";
const plain = (_: Style, text: string) => text;
const line = (more: Partial<KeyturnEvent>, standing?: Standing) =>
  formatLine(event(more), { paint: plain, targetWidth: 9, ...(standing && { standing }) });

describe("The line of an event", () => {
  test("shows the time of day, the target, the phase, its duration and its meaning", () => {
    expect(line({ type: "staged", duration: 31 })).toBe(
      `${clock(at)}  orders     staged       31 ms  stored a new password as a pending version`,
    );
  });

  test("says of a success which account and version are published and when the next rotation is due", () => {
    const version = { version: "0123456789abcdef" };
    const next = "2026-11-22T12:00:16.000Z";
    const text = line(
      { type: "succeeded", account: "orders_b", version, duration: 1234 },
      { nextDue: next, slots: [] },
    );
    expect(text).toContain("1.2 s  orders_b is published as version 01234567");
    expect(text?.endsWith(`; next at ${clock(next)}`)).toBe(true);
  });

  test("says in red why a try failed and when Keyturn tries again", () => {
    const painted: string[] = [];
    const failure = { kind: "target-unavailable", message: "the server does not answer" };
    const nextAttemptAt = "2026-11-22T12:00:03.000Z";
    const failed = event({ type: "attempt-failed", phase: "applying", failure, nextAttemptAt });
    formatLine(failed, {
      targetWidth: 9,
      paint(style, text) {
        if (style === "red") painted.push(text);
        return text;
      },
    });
    expect(painted).toContain(
      `applying: the server does not answer; Keyturn tries again at ${clock(nextAttemptAt)}`,
    );
  });

  test.each<[string, Standing | undefined, string]>([
    ["nothing while the app does not answer", undefined, ""],
    ["that nothing is published yet", { slots: [] }, ". Nothing is published yet."],
    [
      "that the published password is unchanged",
      { published: {}, active: "a", slots: [{ account: "a" }, { account: "b", abandoned: {} }] },
      ". The published password is unchanged.",
    ],
    [
      "that the server may have a newer password than the published one",
      { published: {}, active: "a", slots: [{ account: "a", abandoned: {} }] },
      ". The server may have a newer password than the published one.",
    ],
  ])("says of a failed rotation %s", (_what, standing, sentence) => {
    const failure = { kind: "change-refused", message: "permission denied" };
    const nextDue = "2026-11-22T18:00:00.000Z";
    const text = line({ type: "failed", failure }, standing && { ...standing, nextDue });
    const next = standing ? ` Next try at ${clock(nextDue)}.` : "";
    expect(text?.endsWith(`permission denied${sentence}${next}`)).toBe(true);
  });

  test("says of a blocked target that an operator must decide", () => {
    const failure = { kind: "no-live-credential", message: "every password was refused" };
    expect(line({ type: "blocked", failure })).toContain(
      "every password was refused; Keyturn does not change this target until an operator decides",
    );
  });

  test("does not exist for events that only the log needs", () => {
    expect(line({ type: "claimed" })).toBeUndefined();
    expect(line({ type: "applied" })).toBeUndefined();
  });

  test("says of a delayed target why it waits and when it continues", () => {
    const nextAttemptAt = "2026-12-27T22:00:00.000Z";
    const text = line({ type: "held-back", detail: "freeze until Sunday", nextAttemptAt });
    expect(text).toContain("delayed");
    expect(text).toMatch(
      /the target waits: freeze until Sunday; it continues at .*\d\d:\d\d:\d\d$/,
    );
  });

  test("says of a superseded account whether it has sessions and when Keyturn checks again", () => {
    const seen = { account: "orders_a", nextAttemptAt: "2026-11-22T12:01:01.000Z" };
    const again = clock(seen.nextAttemptAt);
    expect(line({ type: "still-in-use", ...seen })).toContain(
      `the superseded account orders_a still has sessions; Keyturn checks again at ${again}`,
    );
    expect(line({ type: "seen-unused", ...seen })).toContain(
      `the superseded account orders_a has no sessions; Keyturn checks again at ${again}`,
    );
  });

  test.each([80, 100, 132])(
    "fits a terminal of %i columns and wraps the text within its column",
    (width) => {
      const failure = { kind: "bug", message: "many words ".repeat(30).trim() };
      const text = formatLine(event({ type: "bug", failure }), {
        paint: plain,
        targetWidth: 9,
        width,
      });
      const [first = "", ...rest] = text?.split("\n") ?? [];
      const indent = first.indexOf("an error in Keyturn");
      expect(rest.length).toBeGreaterThan(1);
      for (const one of rest) expect(one.search(/\S/)).toBe(indent);
      for (const one of [first, ...rest]) expect(one.length).toBeLessThanOrEqual(width);
      expect([first.slice(indent), ...rest.map((one) => one.trim())].join(" ")).toBe(
        `an error in Keyturn itself: ${failure.message}`,
      );
    },
  );

  test.each<[string, string, Partial<KeyturnEvent>, string]>([
    ["postgresql", "orders_b", { type: "started", cause: "operator" }, "new password for orders_b"],
    ["azure-key", "key2", { type: "started", cause: "exposure" }, "(the key was exposed)"],
    ["azure-key", "key2", { type: "started", cause: "schedule" }, "new value for key2 (scheduled)"],
    ["azure-key", "key2", { type: "staged" }, "chose the key that nobody reads"],
    ["azure-key", "key2", { type: "verified" }, "Azure regenerated the key; it is stored as a"],
    ["azure-key", "key1", { type: "retired" }, "the superseded value of key1 no longer works"],
    ["entra-app", clientId, { type: "started" }, "new client secret for 3f1e0c52…"],
    ["entra-app", clientId, { type: "retired" }, "client secret of 3f1e0c52… no longer logs in"],
    ["toString", "a", { type: "retired" }, "the superseded password of a no longer logs in"],
  ])("says of a target of type %s with account %s after %j: %s", (type, account, more, words) => {
    const text = formatLine(event({ account, ...more }), { paint: plain, targetWidth: 9, type });
    expect(text).toContain(words);
  });

  test("shows an unknown event type under its own name", () => {
    expect(line({ type: "paused", detail: "by an operator" })).toMatch(/paused .*by an operator$/);
  });
});

test("Durations are in milliseconds below a second and in seconds above", () => {
  expect([undefined, 0, 999, 1000, 61_240].map(formatDuration)).toEqual([
    "",
    "0 ms",
    "999 ms",
    "1.0 s",
    "61.2 s",
  ]);
});

test("Characters that a terminal would interpret are escaped everywhere", () => {
  const hostile = "\u001b]0;title\u0007\n\u202eabc\u2028";
  const shown = String.raw`\u001b]0;title\u0007\u000a\u202eabc\u2028`;
  const text = line({ type: "drift", targetId: hostile, detail: hostile });
  expect(text?.split(shown)).toHaveLength(3);
  expect(text).not.toMatch(/\p{C}/u);
  expect(line({ type: hostile })).toContain(shown);
  const counts = { logIns: 1, failed: 1, recovered: 0, lastProblem: hostile };
  expect(formatSummary({ orders: counts }, [])).toEqual([expect.stringContaining(shown)]);
  expect(formatTable([["A"], [hostile]])).toContain(shown);
});

describe("A wrapped text", () => {
  test("breaks between words, never within a word", () => {
    const path = "/a/path/that/somebody/wants/to/copy";
    expect(wrapText(`see ${path} for the rest`, 14)).toBe(`see\n  ${path}\n  for the rest`);
    expect(wrapText("", 12)).toBe("");
  });

  test("keeps its own lines, and indents continuation lines", () => {
    expect(wrapText("short\n  one two three", 9)).toBe("short\n  one two\n    three");
  });

  test("does not count colours", () => {
    const red = "\u001b[31mred words\u001b[39m";
    expect(wrapText(red, 9)).toBe(red);
  });

  test("has 80 columns when the width is not known", () => {
    expect([
      measureTerminal({}),
      measureTerminal({ columns: 132 }),
      measureTerminal({ columns: 0 }),
    ]).toEqual([80, 132, 80]);
  });
});

test("The error of a crashed child is shown without its stack", () => {
  const crash = "file.ts:3\n  throw it;\n  ^\n\nTypeError: it is not\n    at file.ts:3:9\n";
  expect(withoutStack(crash)).toBe("TypeError: it is not");
  expect(withoutStack("Port 80 is in use.")).toBe("Port 80 is in use.");
});

describe("The consumer's summary", () => {
  test("explains expected failures of a single account, and shows the last error", () => {
    const bad = { logIns: 9, failed: 2, recovered: 1, lastProblem: "the server refuses a" };
    const good = { logIns: 812, failed: 0, recovered: 0 };
    const targets = [
      { id: "orders", keepsSuperseded: true },
      { id: "reports", keepsSuperseded: false },
    ];
    expect(formatSummary({ orders: good }, targets)).toEqual(["orders: 812 log-ins, 0 failed"]);
    expect(formatSummary({ orders: bad }, targets)).toEqual([
      "orders: 9 log-ins, 2 failed; last error: the server refuses a",
    ]);
    expect(formatSummary({ reports: bad, orders: good, inventory: good }, targets)).toEqual([
      "orders: 812 log-ins, 0 failed  ·  inventory: 812 log-ins, 0 failed",
      "reports: 9 log-ins, 2 failed, as expected for a single account during a change; last error: the server refuses a",
    ]);
  });
});

describe("The state of a target after an event", () => {
  const view = (version: string): TargetView => ({
    ...{ id: "orders", health: "healthy", accounts: ["a"], slots: [] },
    ...{ published: { version }, nextDue: `2026-11-22T12:00:0${version}.000Z` },
  });
  const answering = (...versions: string[]) => ({
    target: () =>
      Promise.resolve(view(versions.length > 1 ? (versions.shift() ?? "") : versions.join())),
  });
  const succeeded = event({ type: "succeeded", version: { version: "2" } });

  test("is that of the record that names the new version", async () => {
    expect(await readStanding(answering("1", "1", "2"), succeeded)).toEqual(view("2"));
  });

  test("is unknown if the record never names the new version, or the app does not answer", async () => {
    expect(await readStanding(answering("1"), succeeded)).toBeUndefined();
    const silent = { target: () => Promise.reject(new Error("no answer")) };
    expect(await readStanding(silent, succeeded)).toBeUndefined();
  });

  test("is read once after any other event", async () => {
    expect(await readStanding(answering("1", "2"), event({ type: "failed" }))).toEqual(view("1"));
  });
});

test("A table's columns are as wide as their longest cell", () => {
  const rows = [
    ["target", "took"],
    ["inventory", "3 s"],
  ];
  expect(formatTable(rows)).toBe("target     took\n─────────  ────\ninventory  3 s");
});

describe("An event in the host's log", () => {
  const record = (message: string) => ({ category: "user", level: "information", message });

  test("is read from the record of a function", () => {
    const text = event({ type: "published", version: { version: "1" } });
    expect(readEvent(record(JSON.stringify({ keyturn: text })))).toEqual(text);
  });

  test.each([
    record("{"),
    record("plain words"),
    record('{"keyturn":{"type":"published"}}'),
    { ...record('{"keyturn":{}}'), category: "host" },
    { ready: true },
    undefined,
  ])("is not found in %j", (other) => {
    expect(readEvent(other)).toBeUndefined();
  });
});

describe("The arguments of npm start", () => {
  test("are explained in lines of at most 80 columns", () => {
    expect(usage.split("\n").filter((one) => one.length > 80)).toEqual([]);
  });

  test("are read", () => {
    const args = ["--once", "--port", "8080", "--data", "d", "--config", "c.yaml"];
    const expected = { once: true, help: false, port: 8080, data: "d", config: "c.yaml" };
    expect(readArguments(args)).toEqual(expected);
    expect(readArguments([])).toEqual({ once: false, help: false });
  });

  test.each([
    ["--port", "eighty"],
    ["--port", "0"],
    ["--port", "65536"],
    ["--port"],
    ["once"],
    ["--data", "a", "--data", "b"],
    ["-x"],
  ])("are refused when they are invalid: %s %s", (...args) => {
    expect(() => readArguments(args)).toThrow(UsageError);
  });
});
