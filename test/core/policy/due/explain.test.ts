import { expect, it } from "vitest";
import { computeNextDue } from "../../../../shared/core/policy/due/schedule.ts";
import { hour, minute, second } from "../../../../shared/core/time.ts";
import { policyWith } from "../sample.ts";

it.each([
  ["seconds if it is less than a minute", 2 * minute, "13.166Z", "14 s"],
  ["seconds if it is nearly 0", second, "00.109Z", "1 s"],
  ["minutes otherwise", hour, "34.988Z", "7 min"],
])("a position in the spread is shown in %s", (_what, spread, at, told) => {
  const policy = policyWith({ cron: "0 22 * * *", spread });
  const due = computeNextDue(policy, { targetId: "orders" }, "2026-06-01T12:00:00.000Z");
  expect(due.at).toMatch(new RegExp(`^2026-06-01T22:.*${at}$`));
  expect(due.reason).toMatch(new RegExp(`; delayed by ${told} \\(spread\\)$`));
});
