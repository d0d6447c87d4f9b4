import { expect, test } from "vitest";
import { listProblems, withTarget } from "../written.ts";

const good = withTarget({});

test("a well-formed file has no problems", async () => {
  expect(await listProblems(good)).toEqual([]);
});

test.each([
  ["nothing at all", "", "keyturn.yaml:1:1  is empty"],
  ["a comment alone", "# later\n", "keyturn.yaml:1:1  is empty"],
  [
    "a list",
    "- a\n",
    'keyturn.yaml:1:1  is not a mapping of keys to values; it must begin with "version: 1"',
  ],
  [
    "a sentence",
    "hello\n",
    'keyturn.yaml:1:1  is not a mapping of keys to values; it must begin with "version: 1"',
  ],
  [
    "tabs as indentation",
    "version: 1\nvaults:\n\tmain: {}\n",
    "keyturn.yaml:3:1  is indented with a tab; YAML allows only spaces",
  ],
  [
    "several documents",
    `${good}---\nversion: 1\n`,
    expect.stringContaining("  contains several documents (---); put each into its own file"),
  ],
  [
    "an open quote",
    "version: 1\nnotify: 'x\n",
    expect.stringMatching(/^keyturn\.yaml:3:1 {2}missing closing 'quote/),
  ],
  [
    "a second colon on a line",
    "version: a: b\n",
    expect.stringContaining("put text that contains a colon and a space in quotes"),
  ],
  ["an unknown tag", "version: !secret 1\n", "keyturn.yaml:1:10  unresolved tag: !secret"],
  [
    "another version of YAML",
    `%YAML 1.1\n---\n${good}`,
    "keyturn.yaml:1:1  declares YAML 1.1; Keyturn reads YAML 1.2 only",
  ],
  [
    "an alias without its anchor",
    "version: *one\n",
    "keyturn.yaml:1:10  version: anchor &one does not exist above this alias",
  ],
  [
    "an alias inside its own anchor",
    "version: 1\nnotify: &all\n  - *all\n",
    "keyturn.yaml:3:5  notify[0]: the alias *all is inside its own anchor",
  ],
])("%s is reported once, with its position", async (_what, text, problem) => {
  expect(await listProblems(text)).toEqual([problem]);
});

test("a key that is defined twice is reported with both positions", async () => {
  expect(await listProblems(`${good}    publish: other\n`)).toEqual([
    "keyturn.yaml:11:5  targets.orders.publish: is defined twice; the first is at keyturn.yaml:10:5",
  ]);
});

test("two keys that YAML parses to the same text are duplicates", async () => {
  expect(await listProblems('version: 1\n"version": 1\n')).toEqual([
    "keyturn.yaml:2:1  version: is defined twice; the first is at keyturn.yaml:1:1",
  ]);
});

test("merge keys are rejected at their position", async () => {
  const text = good.replace("  orders:\n", "  orders:\n    <<: {}\n");
  expect(await listProblems(text)).toEqual([
    'keyturn.yaml:6:5  targets.orders["<<"]: merge keys are not part of YAML 1.2; use targetDefaults for values that targets share, or write the values out',
  ]);
});

test("a key that is not text is rejected at its position", async () => {
  expect(await listProblems("version: 1\nvaults: { {{ vault }}: {} }\n")).toEqual([
    "keyturn.yaml:2:11  vaults: has a key that is not plain text; put the key in quotes",
  ]);
});

test("the key __proto__ is rejected and changes nothing", async () => {
  expect(await listProblems("version: 1\n__proto__: { vaults: {} }\n")).toEqual([
    "keyturn.yaml:2:1  __proto__: cannot be used as a key",
  ]);
});

test("an anchor may be repeated", async () => {
  const text = good.replace(
    /options: .*/,
    "options: &where { host: a.example }\n    tags: { first: &text one, second: *text }",
  );
  expect(await listProblems(text)).toEqual([]);
});

test("a problem in an aliased value is reported at its anchor, which is the last one above the alias", async () => {
  const policies = [
    "policies:",
    "  a: &usual { every: 1d, days: sat }",
    "  b: *usual",
    "  c: &usual { every: 1d, days: sun }",
    "  d: *usual",
  ];
  const problems = await listProblems(["version: 1", ...policies].join("\n"));
  expect(problems.filter((one) => one.includes("days")).map((one) => one.split(":")[1])).toEqual([
    "3",
    "3",
    "5",
    "5",
  ]);
});

test("aliases that multiply are rejected before they exhaust the memory", async () => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const inner = level === 0 ? "lol" : `*a${level - 1}`;
    return `a${level}: &a${level} [${Array.from({ length: 10 }, () => inner).join(", ")}]`;
  });
  expect(await listProblems(["version: 1", ...levels].join("\n"))).toEqual([
    "keyturn.yaml:1:1  has too many aliases; write some of the values out",
  ]);
});

test("endless nesting is reported as a problem and does not crash the check", async () => {
  const problems = await listProblems(`version: ${"[".repeat(100_000)}`);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems[0]).toContain("keyturn.yaml:1:");
});

test("a large file is accepted", async () => {
  expect(await listProblems(`${good}#${"x".repeat(20 * 1024 * 1024)}`)).toEqual([]);
});

test("bytes that are not UTF-8 are rejected, but a byte order mark is accepted", async () => {
  expect(await listProblems(new Uint8Array([0xff, 0xfe, 0x61]))).toEqual([
    "keyturn.yaml  is not UTF-8 text",
  ]);
  expect(await listProblems(`\uFEFF${good}`)).toEqual([]);
});

test("words and numbers are parsed by the rules of YAML 1.2", async () => {
  const tags = "{ country: no, at: 22:30, on: off, day: 2026-12-20 }";
  expect(await listProblems(`${good}    tags: ${tags}\n`)).toEqual([]);
  expect(await listProblems(`${good}    tags: { release: 1.10, live: true, note: ~ }\n`)).toEqual([
    "keyturn.yaml:11:22  targets.orders.tags.release: must be text; put it in quotes",
    "keyturn.yaml:11:34  targets.orders.tags.live: must be text; put it in quotes",
    "keyturn.yaml:11:46  targets.orders.tags.note: has no value",
  ]);
  expect(await listProblems(good.replace("every: 90d", "manualOnly: yes"))).toEqual([
    "keyturn.yaml:3:36  policies.default.manualOnly: must be true; yes, no, on and off are text in YAML 1.2",
  ]);
});
