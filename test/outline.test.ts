import { expect, onTestFinished, test } from "vitest";
import { parseConfig } from "../shared/config/load.ts";
import { makeOutline } from "../shared/outline.ts";
import type { Rotator } from "../shared/rotators/rotator.ts";
import { startKeyBench } from "./contract/rotators/azure-key-bench.ts";
import { startEntraBench } from "./contract/rotators/entra-app-bench.ts";

/** The target of a configuration with these fields, as tools see it. */
async function outline(rotator: Rotator, fields: object) {
  const target = { type: rotator.type, admin: "managed-identity", publish: "shop", ...fields };
  const config = {
    version: 1,
    vaults: { main: { url: "https://kv.vault.azure.net" } },
    policies: { default: { every: "60d" } },
    targets: { shop: target },
  };
  const rotators = [rotator];
  const { targets } = makeOutline(
    await parseConfig(JSON.stringify(config), { rotators }),
    rotators,
  );
  const [found] = targets;
  if (found === undefined) throw new Error("the configuration has no target");
  return found;
}

async function keyTarget(service: "cognitive" | "storage") {
  const bench = await startKeyBench(service);
  onTestFinished(() => bench.close());
  const target = await outline(bench.rotator(), { options: bench.options });
  return { bench, target };
}

test("A bare key logs in whichever of the two it is, until it is regenerated", async () => {
  const { bench, target } = await keyTarget("cognitive");
  for (const name of ["key1", "key2"]) {
    const value = bench.valueOf(name).reveal();
    expect(await target.logIn(value)).toBe("accepted");
    bench.keys.regenerate(name);
    expect(await target.logIn(value)).toBe("rejected");
  }
});

test("A key with its name logs in as that key only", async () => {
  const { bench, target } = await keyTarget("cognitive");
  const password = bench.valueOf("key1").reveal();
  expect(await target.logIn(JSON.stringify({ username: "key1", password }))).toBe("accepted");
  expect(await target.logIn(JSON.stringify({ username: "key2", password }))).toBe("rejected");
});

test("A connection string logs in with the key in it", async () => {
  const { bench, target } = await keyTarget("storage");
  const key = bench.valueOf("key2").reveal();
  const text = (value: string) =>
    `DefaultEndpointsProtocol=https;AccountName=orders;AccountKey=${value};EndpointSuffix=core.windows.net`;
  expect(await target.logIn(text(key))).toBe("accepted");
  bench.keys.regenerate("key2");
  expect(await target.logIn(text(key))).toBe("rejected");
});

test("The secret of an application logs in as JSON and alone, and both are valid until one is removed", async () => {
  const bench = await startEntraBench();
  onTestFinished(() => bench.graph.close());
  const target = await outline(bench.rotator(), {
    options: bench.optionsWith(),
    accounts: [bench.account],
  });
  const [first, second] = [bench.graph.put(), bench.graph.put()];
  const json = JSON.stringify({ username: bench.account, password: first.text });
  expect(await target.logIn(json)).toBe("accepted");
  expect(await target.logIn(second.text)).toBe("accepted");
  bench.graph.remove(first.keyId);
  expect(await target.logIn(json)).toBe("rejected");
  expect(target.keepsSuperseded).toBe(true);
});

test("A value that is no credential is refused without its text", async () => {
  const { target } = await keyTarget("cognitive");
  const logIn = target.logIn("<key>hunter2</key>");
  await expect(logIn).rejects.toThrow(/^The secret shop contains no credential of shop$/);
});
