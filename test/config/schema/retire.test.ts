import { expect, test } from "vitest";
import { listProblems, withTarget } from "../written.ts";

const admin = { secret: "db-admin" };
const pair = { accounts: ["a", "b"], admin };
const alone = { accounts: ["a", { name: "b", initial: "b-today" }], admin: "self" };
const cloud = { type: "cloud-server", options: { server: "s" }, admin: "managed-identity" };
const overrides = { reason: "slow clients", retire: "proof" };

const wanted = (fields: object) =>
  withTarget({ ...fields }).replace("every: 90d", "every: 90d, retire: proof");

/** Lists the problems without file and position. */
async function findings(text: string): Promise<string[]> {
  const lines = await listProblems(text);
  return lines.map((line) => line.replace(/^keyturn\.yaml:\d+:\d+ {2}targets\.orders\./, ""));
}

test("retire: proof can be set by the policy or by the overrides of a pair", async () => {
  expect(await listProblems(wanted(pair))).toEqual([]);
  expect(await listProblems(withTarget({ ...pair, overrides }))).toEqual([]);
});

test("a target can override retire: proof of its policy", async () => {
  const fields = { ...cloud, accounts: ["a", "b"], overrides: { reason: "x", retire: "grace" } };
  expect(await listProblems(wanted(fields))).toEqual([]);
});

test.each([
  ["one account, which is never superseded", { ...cloud, accounts: ["a"] }],
  ["a pair that changes itself and is never retired", alone],
])("retire: proof of a policy is ignored for %s", async (_what, fields) => {
  expect(await listProblems(wanted(fields))).toEqual([]);
});

test("retire: proof of a policy is rejected for a pair of a type that cannot report sessions", async () => {
  expect(await listProblems(wanted({ ...cloud, accounts: ["a", "b"] }))).toEqual([
    "keyturn.yaml:6:11  targets.orders.type: cloud-server cannot report whether an account is in use. Replace retire: proof of policy default with retire: grace",
  ]);
});

test.each([
  [
    "one account",
    { admin, overrides },
    "overrides.retire: has no effect with one account, because its old password stops working at the change; remove it",
  ],
  [
    "a pair that changes itself",
    { ...alone, overrides },
    "overrides.retire: has no effect with admin: self, because no account is retired; remove it",
  ],
  [
    "a type that cannot report sessions",
    { ...cloud, accounts: ["a", "b"], overrides },
    "overrides.retire: cloud-server cannot report whether an account is in use. Replace retire: proof with retire: grace",
  ],
])("retire: proof in overrides is rejected for %s", async (_what, fields, message) => {
  expect(await findings(withTarget(fields))).toEqual([message]);
});

test("retire must be grace or proof", async () => {
  const text = withTarget(pair).replace("every: 90d", "every: 90d, retire: prove");
  expect(await listProblems(text)).toEqual([
    expect.stringContaining('retire: must be one of "grace", "proof" (did you mean "proof"?)'),
  ]);
});
