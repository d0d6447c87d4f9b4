import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "../../shared/config/load.ts";
import { selectCandidates } from "../../shared/core/breach/select.ts";
import { nameServer } from "../../shared/core/target.ts";
import { mongodb } from "../../shared/rotators/mongodb/mongodb.ts";
import { candidate } from "../core/breach/candidates.ts";

const target = (id: string, options: string) =>
  `  ${id}: { type: mongodb, options: ${options}, accounts: [app], admin: { secret: root }, publish: ${id} }`;

async function load(...options: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-mongodb-"));
  const text = [
    "version: 1",
    "vaults: { main: { url: https://kv-orders.vault.azure.net } }",
    "policies: { default: { every: 60d, afterExposure: 4h } }",
    "targets:",
    ...options.map((each, index) => target(`t${String(index)}`, each)),
  ].join("\n");
  try {
    await writeFile(join(folder, "keyturn.yaml"), text);
    return await loadConfig(join(folder, "keyturn.yaml"), { rotators: [mongodb] });
  } finally {
    await rm(folder, { recursive: true });
  }
}

it("two targets that share a member of a replica set cannot rotate the same account", async () => {
  const both = load(
    '{ hosts: ["a:27017", "b:27017"], replicaSet: rs }',
    '{ hosts: ["c:27017", "B:27017"], replicaSet: rs }',
  );
  await expect(both).rejects.toThrow("is already rotated by target t0");
  const withPrimary = load('{ hosts: ["a:27017", "b:27017"], replicaSet: rs }', "{ host: b }");
  await expect(withPrimary).rejects.toThrow("is already rotated by target t0");
});

it("the order of the members does not matter for what is known of their server", () => {
  const name = (hosts: string[]) =>
    nameServer(mongodb.endpoint(mongodb.options.parse({ hosts, replicaSet: "rs" })));
  expect(name(["b:1", "a:1"])).toBe("a:1,b:1");
  expect(name(["a:1", "b:1"])).toBe("a:1,b:1");
});

it("a breach of a host concerns every target that has it as a member", () => {
  const options = mongodb.options.parse({ hosts: ["a:27017", "[fd00::7]:1"], replicaSet: "rs" });
  const { host, members = [] } = mongodb.endpoint(options);
  const known = [{ ...candidate("orders", { host }), members }, candidate("other")];
  const find = (wanted: string) =>
    selectCandidates(known, { host: wanted }).map(({ target: { id } }) => id);
  for (const wanted of ["a", "A:27017", "fd00::7", "[fd00::7]:1"]) {
    expect(find(wanted)).toEqual(["orders"]);
  }
  expect(() => find("b")).toThrow('host "b"');
});
