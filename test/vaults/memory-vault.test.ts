import { describe, expect, it } from "vitest";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeMemoryVault } from "../../shared/vaults/memory-vault.ts";

describe("a vault in memory", () => {
  const signal = new AbortController().signal;

  it("shows every version with its times and ids to a test", async () => {
    let count = 0;
    const vault = makeMemoryVault({
      name: "main",
      now: () => new Date("2026-03-01T02:03:04.999Z"),
      newVersion: () => `v${++count}`,
    });
    const write = (value: string) =>
      vault.write("orders", { value: new Secret(value), contentType: "", tags: {} }, signal);
    await vault.disable(await write("first"), signal);
    await write("second");

    expect(vault.names()).toEqual(["orders"]);
    const versions = vault.versions("ORDERS");
    expect(versions.map(({ ref, enabled }) => [ref.version, enabled])).toEqual([
      ["v1", false],
      ["v2", true],
    ]);
    expect(versions.map(({ value }) => value.reveal())).toEqual(["first", "second"]);
    expect(versions[0]?.createdAt).toBe("2026-03-01T02:03:04.000Z");
  });

  it("keeps the written tags, even if the caller changes its object later", async () => {
    const vault = makeMemoryVault({ name: "main" });
    const tags: Record<string, string> = { owner: "orders" };
    await vault.write("orders", { value: new Secret("x"), contentType: "", tags }, signal);
    tags["owner"] = "changed";
    expect(vault.versions("orders")[0]?.tags).toEqual({ owner: "orders" });
  });
});
