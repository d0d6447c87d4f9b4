import { expect, test } from "vitest";
import { listProblems, withTarget } from "../written.ts";

const admin = { secret: "db-admin" };
const pair = { accounts: ["a", "b"], admin };
const alone = { accounts: ["a", { name: "b", initial: "b-today" }], admin: "self" };
const cloud = { type: "cloud-server", options: { server: "s" }, admin: "managed-identity" };
const overrides = { reason: "slow clients", retire: "proof" };

const wanted = (fields: object) =>
  withTarget({ ...fields }).replace("every: 90d", "every: 90d, retire: proof");

/** Without file and place. */
async function findings(text: string): Promise<string[]> {
  const lines = await listProblems(text);
  return lines.map((line) => line.replace(/^keyturn\.yaml:\d+:\d+ {2}targets\.orders\./, ""));
}

test("a pair may be retired on proof, as the policy wants or as it wants itself", async () => {
  expect(await listProblems(wanted(pair))).toEqual([]);
  expect(await listProblems(withTarget({ ...pair, overrides }))).toEqual([]);
});

test("a target may go without the proof that its policy wants", async () => {
  const fields = { ...cloud, accounts: ["a", "b"], overrides: { reason: "x", retire: "grace" } };
  expect(await listProblems(wanted(fields))).toEqual([]);
});

test.each([
  ["one account, of which none is superseded", { ...cloud, accounts: ["a"] }],
  ["a pair that changes itself and is never retired", alone],
])("a policy that wants proof says nothing to %s", async (_what, fields) => {
  expect(await listProblems(wanted(fields))).toEqual([]);
});

test("a policy that wants proof is refused for a pair of a type that cannot be asked", async () => {
  expect(await listProblems(wanted({ ...cloud, accounts: ["a", "b"] }))).toEqual([
    "keyturn.yaml:6:11  targets.orders.type: is not supported for cloud-server, which cannot report whether an account is in use",
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
    "overrides.retire: has no meaning with admin: self, because no account is retired",
  ],
  [
    "a type that cannot be asked",
    { ...cloud, accounts: ["a", "b"], overrides },
    "overrides.retire: is not supported for cloud-server, which cannot report whether an account is in use",
  ],
])("proof that a target itself wants is refused for %s", async (_what, fields, message) => {
  expect(await findings(withTarget(fields))).toEqual([message]);
});

test("when a secret is retired is one of two words", async () => {
  const text = withTarget(pair).replace("every: 90d", "every: 90d, retire: prove");
  expect(await listProblems(text)).toEqual([
    expect.stringContaining('retire: must be one of "grace", "proof" (did you mean "proof"?)'),
  ]);
});
