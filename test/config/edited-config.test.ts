import { expect, test } from "vitest";
import { parseConfig } from "../../shared/config/load.ts";
import { formatProblem } from "../../shared/config/problems.ts";
import { checkInThread, CheckTooCostlyError } from "../../shared/edited-config.ts";
import { makeRotators } from "../../shared/rotators/registry.ts";
import { problemLines } from "./written.ts";

const rotators = makeRotators({ getToken: () => Promise.resolve(null) });
const head = "version: 1\nvaults: { main: { url: https://kv.vault.azure.net } }\n";
const target = (id: string, more = "") =>
  `  ${id}: { type: postgresql, options: { host: db.example }, accounts: [${id}], admin: self, publish: ${id}${more} }\n`;
// Its warnings do not depend on the time of the check.
const good = `${head}policies: { default: { every: 90d }, spare: { every: 30d } }\ntargets:\n${target("orders")}${target("billing", ", policy: spare")}`;

test("checking a text in a thread gives the same result as in the process", async () => {
  const { targets, warnings } = await parseConfig(good, { rotators });
  expect(warnings).toHaveLength(2);
  expect(await checkInThread(good)).toEqual({ targets, warnings: warnings.map(formatProblem) });
});

test("a text with mistakes is rejected with the same problems as a file", async () => {
  const wrong = `${good}more: 1\nnotify: [{}]\n`;
  const lines = await problemLines(checkInThread(wrong));
  expect(lines).toHaveLength(2);
  expect(lines).toEqual(await problemLines(parseConfig(wrong, { rotators })));
});

test("a check that needs too much memory is stopped with an explanation", async () => {
  const text = `version: 1\nnotify: [${"{},".repeat(200_000)}]\n`;
  const refused = checkInThread(text, { time: 600_000, memory: 24 });
  await expect(refused).rejects.toThrow(CheckTooCostlyError);
  await expect(refused).rejects.toThrow(/needs more than 24 MiB of memory\. Send a smaller/);
});

test("a check that takes too long is stopped with an explanation, and the process continues", async () => {
  const text = `version: 1\nnotify: [${"{},".repeat(200_000)}]\n`;
  let turns = 0;
  const ticking = setInterval(() => turns++, 5);
  const refused = checkInThread(text, { time: 100, memory: 1024 });
  await expect(refused).rejects.toThrow("timed out after 0.1 s. Send a smaller configuration");
  clearInterval(ticking);
  expect(turns).toBeGreaterThan(2);
});
