import { expect, test } from "vitest";
import { listProblems, load, withTarget } from "../written.ts";

const publish = { secret: "orders-db", vault: "main" };
const config = (ledger: string) => `${withTarget({ publish })}ledger: ${ledger}\n`;
const twoVaults = (text: string) =>
  text.replace("main:", "other: { url: https://other.vault.azure.net }, main:");

test("the key that signs the ledger is in the named vault, or in the only one", async () => {
  const signWith = { key: "ledger", vault: "main" };
  expect((await load(config("{ signWith: { key: ledger } }"))).ledger).toEqual({ signWith });
  const named = twoVaults(config("{ signWith: { key: ledger, vault: main } }"));
  expect((await load(named)).ledger).toEqual({ signWith });
  expect((await load(withTarget({}))).ledger).toBeUndefined();
  expect((await load(config("{}"))).ledger).toEqual({});
});

test.each([
  [
    "{ signWith: { key: ledger, vault: mian } }",
    'ledger.signWith.vault: vault "mian" does not exist (did you mean "main"?)',
  ],
  [
    "{ signWith: { key: a/b } }",
    "ledger.signWith.key: must be the name of a key: letters, digits and hyphens",
  ],
  ["{ signWith: ledger }", "ledger.signWith: "],
  ["{ signwith: { key: ledger } }", 'did you mean "signWith"?'],
])("the ledger %s is refused", async (ledger, sentence) => {
  expect((await listProblems(config(ledger))).join("\n")).toContain(sentence);
});

test("with several vaults, the key must name its vault", async () => {
  const [problem] = await listProblems(twoVaults(config("{ signWith: { key: ledger } }")));
  expect(problem).toContain("ledger.signWith: must name a vault, because several are configured");
});
