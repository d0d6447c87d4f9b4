import { expect, test } from "vitest";
import { parseConfig } from "../../shared/config/load.ts";
import { ConfigProblemsError } from "../../shared/config/problems.ts";
import { countRepeated } from "../../shared/config/yaml/document.ts";
import { checkLateness, untried } from "../../shared/core/policy/checks/check-lateness.ts";
import { attempt, type Effort, newEffort } from "../../shared/core/policy/checks/effort.ts";
import { findOpenings } from "../../shared/core/policy/windows/openings.ts";
import { day, hour, minute } from "../../shared/core/time.ts";
import { policyWith } from "../core/policy/sample.ts";
import { fakeRotators } from "./fake-rotators.ts";
import { listProblems, withTarget } from "./written.ts";

const now = "2026-06-01T00:00:00.000Z";
const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join("");

test.each([
  ["lists in lists", `notify: ${"[".repeat(20_000)}`],
  ["mappings in mappings", `vaults: ${"{ a: ".repeat(20_000)}`],
  ["lists in lists, all closed,", `notify: ${"[".repeat(300)}${"]".repeat(300)}`],
])("%s are reported once when they are too deep", async (_what, text) => {
  expect(await listProblems(`version: 1\n${text}\n`)).toEqual([
    expect.stringMatching(/^keyturn\.yaml:2:\d+ .*is nested too deeply$/),
  ]);
});

test("a repeated value counts as often as it is repeated", async () => {
  const text = `version: 1\na: &a [${"x, ".repeat(1_000)}]\nb: [${"*a, ".repeat(9_000)}]\n`;
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:1:1  has too many aliases; write some of the values out",
  ]);
});

test("only repeated values count against the limit of aliases", () => {
  const shared = ["a", "b"];
  expect(countRepeated({ one: ["a", "b"], two: ["a", "b"], three: "a" })).toBe(0);
  expect(countRepeated({ one: shared, two: shared, three: shared })).toBe(4);
});

test.each([
  ["between", '"01:00-02:00"'],
  ["at", '"01:00"'],
])("a policy can have at most 100 %s", async (field, entry) => {
  const policy = `{ every: 90d, afterExposure: 4h, ${field}: [${`${entry}, `.repeat(101)}] }`;
  const text = withTarget({}).replace(/{ every: .* } }/, `${policy} }`);
  expect(await listProblems(text)).toEqual([
    expect.stringContaining(`policies.default.${field}: must have at most 100 entries`),
  ]);
});

test("a configuration can have at most 1000 policies", async () => {
  const policies = lines(1_001, (index) => `  p${index}: { every: 90d }\n`);
  expect(await listProblems(`version: 1\npolicies:\n${policies}`)).toEqual([
    "keyturn.yaml:2:1  policies: must have at most 1000 entries; share policies between targets, and use overrides for exceptions",
  ]);
});

test("the error lists the first thousand problems and counts the others", async () => {
  const text = `version: 1\n${lines(3_000, (index) => `key${index}: 1\n`)}`;
  const loading = parseConfig(text, { rotators: fakeRotators, now });
  const error: unknown = await loading.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigProblemsError);
  const { problems = [] } = error as Partial<ConfigProblemsError>;
  expect(problems).toHaveLength(1_001);
  expect(problems.at(-1)?.message).toBe("2000 more problems are not listed; fix these first");
});

test("a message quotes only the beginning of a long name", async () => {
  const [problem = ""] = await listProblems(withTarget({ policy: "x".repeat(100_000) }));
  expect(problem.length).toBeLessThan(1_000);
});

test("one warning names the policies that would need too many trials, and the others are checked", async () => {
  const target = (index: number) =>
    `  t${index}: { type: relational, options: { host: h${index} }, accounts: [a], admin: self, publish: t${index}, overrides: { every: ${100 + index}h, days: [sat], headStart: 2d, reason: x } }\n`;
  const text = withTarget({}) + lines(600, target);
  const { warnings } = await parseConfig(text, { rotators: fakeRotators, now });
  const about = warnings.filter(({ message }) => message.startsWith(untried.message));
  expect(about).toHaveLength(1);
  expect(about[0]?.message).toMatch(/ \(and \d+ more\)$/);
  expect(warnings.some(({ message }) => message.includes("is too short"))).toBe(true);
});

test("a policy with a hundred freezes needs a bounded number of trials", () => {
  const freeze = Array.from({ length: 100 }, (_, index) => ({
    from: new Date(Date.parse(now) + index * 20 * day).toISOString(),
    to: new Date(Date.parse(now) + index * 20 * day + 15 * day).toISOString(),
    reason: `freeze ${index}`,
    lift: [],
  }));
  const effort = newEffort();
  const before = effort.left;
  const policy = policyWith({ every: 30 * day, days: ["sat"], spread: hour, freeze });
  checkLateness(policy, Date.parse(now), effort);
  expect(before - effort.left).toBeLessThanOrEqual(151_000 * 2);
  expect(checkLateness({ ...policy, every: 31 * day }, Date.parse(now), { left: 0 })).toEqual([
    untried,
  ]);
});

test("an error in a trial is not mistaken for an exceeded effort limit", () => {
  const effort: Effort = { left: 1_000 };
  const broken = () => {
    throw new RangeError("no such thing");
  };
  expect(() => attempt(effort, broken)).toThrow(RangeError);
});

test("the search for the next opening does not list the openings before it", () => {
  const from = Date.parse(now);
  const freeze = [{ from: "2026-06-01", to: "2035-12-31", reason: "x", lift: [] }];
  const often = findOpenings({ cron: "* * * * *", freeze });
  expect(often.first(from, from)?.from).toBe(Date.parse("2036-01-01T00:00:00Z"));
  for (const span of findOpenings({ cron: "* * * * *" }).each(from, from + 3_650 * day)) {
    expect(span.from).toBe(from - 14 * minute);
    break;
  }
  expect(findOpenings({ cron: "* * * * *" }).last(from, from + 3_650 * day)?.from).toBe(
    from + 3_650 * day - minute,
  );
});
