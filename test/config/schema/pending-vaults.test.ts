import { expect, test } from "vitest";
import { load } from "../written.ts";

const config = (main: string) => `version: 1
vaults:
  main: { url: https://kv.vault.azure.net, ${main} }
  waiting: { url: https://waiting.vault.azure.net }
policies:
  default: { every: 90d }
targets:
  single:
    type: relational
    options: { host: a.example }
    accounts: [app]
    admin: self
    publish: { secret: single, vault: main }
  other:
    type: relational
    options: { host: b.example }
    accounts: [app]
    admin: self
    publish: { secret: other, vault: waiting }
`;

test("pending secrets are stored in the pending vault of the published vault, or else in the published vault", async () => {
  const { vaults, targets } = await load(config("pending: waiting, createsPer10s: 200"));
  expect(vaults["main"]).toMatchObject({ pending: "waiting", createsPer10s: 200 });
  expect(targets.map(({ pendingVault }) => pendingVault)).toEqual(["waiting", undefined]);
});

test.each([
  [
    "pending: waitin",
    'vaults.main.pending: vault "waitin" does not exist (did you mean "waiting"?)',
  ],
  [
    "pending: main",
    "vaults.main.pending: names this vault itself, which is the default; remove pending, or name another vault",
  ],
  [
    "createsPer10s: 1",
    "vaults.main.createsPer10s: must be at least 2, because a rotation creates two versions",
  ],
  [
    "createsPer10s: 301",
    "vaults.main.createsPer10s: must be at most 300, which is the limit of Key Vault",
  ],
])("%s is rejected", async (main, message) => {
  await expect(load(config(main))).rejects.toThrow(message);
});
