import { expect, test } from "vitest";
import { seeds } from "../../local/start/demo/seeds.ts";
import { read } from "./blocks.ts";

const page = read("docs/runbook.md");
const answers = page
  .split(/^## /m)
  .slice(1)
  .map((answer) => {
    const [question = "", ...rest] = answer.split("\n");
    return { question, text: rest.join("\n").trimStart() };
  });

test("the commands of the runbook name targets that npm start creates", () => {
  const verbs = "targets|explain|rotation|history|rotate|verify|pause";
  const command = new RegExp(`^npx keyturn (?:${verbs}) ([\\w-]+)`, "gm");
  const named = Array.from(page.matchAll(command), ([, id = ""]) => id);
  const created = seeds.map(({ id }) => id);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((id) => !created.includes(id))).toEqual([]);
});

test.each(answers)("the answer begins with a command: $question", ({ text }) => {
  expect(text.replace("<!-- needs Azure -->\n", "")).toMatch(/^```sh\n/);
});

test.each(answers)("the answer says what you see and what comes next: $question", ({ text }) => {
  expect(text).toContain("**You see**");
  expect(text).toContain("**Next:**");
});
