import { expect, test } from "vitest";
import { listSeen } from "../../../shared/core/record/exposed-versions.ts";
import { abandon } from "../../../shared/core/record/slots.ts";
import { adopted, at, begun, now, request, version } from "../orders.ts";

const ref = version(9);
const given = { by: "import", account: "orders_b", ref, mayApply: true } as const;
const report = { at: now, version: ref.version };

test.each([
  ["waits for its start", { ...adopted, given: { ...request, secret: given } }],
  ["is not pending yet", { ...adopted, rotation: { ...begun().rotation, given } }],
  ["was left in doubt", { ...adopted, slots: [abandon({ account: "orders_b" }, ref)] }],
  [
    "was left in doubt before another one",
    { ...adopted, slots: [abandon(abandon({ account: "orders_b" }, ref), version(10))] },
  ],
])("A report about an imported version counts when the version %s", (_when, record) => {
  expect(listSeen(record, report, undefined)).toEqual([ref.version]);
  expect(listSeen(record, { ...report, version: "another" }, undefined)).toEqual([]);
});

test("A report from before the change concerns the secret that was published then, and none in doubt", () => {
  const slot = { account: "orders_a", current: version(1), previous: version(0) };
  const doubtful = abandon(abandon(slot, version(7)), version(8));
  const record = { ...adopted, slots: [doubtful] };
  expect(listSeen(record, { at: now }, at(5))).toEqual(["0"]);
});
