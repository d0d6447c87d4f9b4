import { expect, test } from "vitest";
import { listProblems } from "../written.ts";

const one = (policy: string) => `version: 1\npolicies:\n  p: ${policy}\n`;

test.each([
  ["hours", "{ every: 1d, between: [22-4] }", 'between[0]: must be hours such as "22:00-04:00"'],
  ["an appointment", "{ every: 1d, at: [2.30] }", 'at[0]: must be a time of day such as "02:30"'],
  [
    "a freeze without a reason",
    "{ every: 1d, freeze: [{ from: 2030-01-01, to: 2030-01-02 }] }",
    "freeze[0].reason: is missing",
  ],
  [
    "a day",
    "{ every: 1d, days: [son] }",
    'days[0]: must be one of "sun", "mon", "tue", "wed", "thu", "fri", "sat" (did you mean "sun"?)',
  ],
  ["days", "{ every: 1d, days: sat }", "days: must be a list, in [ ]"],
  [
    "a switch",
    "{ every: 1d, manualOnly: false }",
    "manualOnly: must be true; to turn it off, remove the field",
  ],
  ["an expiry", "{ every: 1d, expiry: never }", 'expiry: must be "none" or a duration such as 30d'],
  [
    "a time zone without a name",
    '{ every: 1d, timeZone: "" }',
    "timeZone: must be an IANA time zone such as Europe/Vienna, but is empty",
  ],
  ["a spread", "{ every: 1d, spread: 8d }", "spread: must be at most 7d"],
  [
    "a thenEvery that is shorter than every",
    "{ every: 1d, retry: { every: 7h } }",
    "retry.thenEvery: must not be shorter than every (7h), but is 6h",
  ],
  [
    "a timeout that is longer than the engine allows",
    "{ every: 1d, timeouts: { change: 41s } }",
    "timeouts.change: must be between 1s and 40s",
  ],
  [
    "a connect timeout that is longer than the verify timeout",
    "{ every: 1d, timeouts: { connect: 21s } }",
    "timeouts.connect: must be between 1s and 20s",
  ],
  [
    "a connect timeout that leaves no time for the log-in",
    "{ every: 1d, timeouts: { connect: 6s, verify: 5s } }",
    "timeouts.connect: must not be longer than verify (5s), which includes connecting, but is 6s",
  ],
  [
    "a dialect",
    "{ every: 1d, password: { dialects: [sql] } }",
    'password.dialects[0]: must be one of "ado", "odbc", "jdbc", "libpq", "uri", "yaml", "json", "shell", "env" (did you mean "shell"?)',
  ],
  [
    "adoption",
    "{ every: 1d, adopt: change }",
    'adopt: must be "verify", "rotate", or a mapping with mode and delay',
  ],
])("%s is rejected in plain words", async (_what, policy, message) => {
  const lines = await listProblems(one(policy));
  const found = lines.map((line) => line.replace(/^\S+ {2}policies\.p\./, ""));
  expect(found.map((line) => line.replace(/ \(did you mean.*/, ""))).toEqual([
    message.replace(/ \(did you mean.*/, ""),
  ]);
});
