import { expect, test } from "vitest";
import { listProblems } from "../written.ts";

const matching = (match: string) => `version: 1
vaults:
  main: { url: https://kv.vault.azure.net }
policies:
  default: { every: 90d }
  nights: { every: 30d, match: ${match} }
targets:
  orders:
    type: relational
    options: { host: db.example }
    accounts: [app]
    admin: self
    publish: orders-db
`;

test("a match criterion with an unknown type or vault is rejected, because it would never match", async () => {
  expect(await listProblems(matching("{ type: relatonal, vault: [main, mian] }"))).toEqual([
    'keyturn.yaml:6:40  policies.nights.match.type: type of target "relatonal" does not exist (did you mean "relational"?)',
    'keyturn.yaml:6:65  policies.nights.match.vault[1]: vault "mian" does not exist (did you mean "main"?)',
  ]);
});

test("a pattern in a match criterion may match nothing yet", async () => {
  expect(
    await listProblems(matching('{ type: ["document*", relational], vault: "spar?" }')),
  ).toEqual([]);
});
