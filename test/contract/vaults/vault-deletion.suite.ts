import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import { VaultUnavailableError } from "../../../shared/core/errors.ts";
import type { VersionRef } from "../../../shared/core/target.ts";
import type { Vault } from "../../../shared/vaults/vault.ts";
import { vaultCalls, type VaultUnderTest } from "./vault.suite.ts";

/** The rules for deleted secrets and lists of versions in every vault. */
export function vaultDeletionSuite(title: string, start: () => Promise<VaultUnderTest>): void {
  describe(`${title}: deleted secrets and lists of versions`, () => {
    let under: VaultUnderTest;
    let vault: Vault;
    beforeAll(async () => {
      under = await start();
      vault = under.vault;
    });
    afterAll(() => under.close());
    const { newName, signal, write, current } = vaultCalls(() => vault);

    it("says that a deleted secret is deleted, until somebody recovers it", async () => {
      const name = newName();
      const older = await write(name, "older");
      const newest = await write(name, "newest");
      await vault.disable(older, signal);
      await under.remove(name);
      expect(await vault.readCurrent(name, signal)).toBe("deleted");
      expect(await vault.readCurrent(name.toUpperCase(), signal)).toBe("deleted");
      expect(await vault.readVersion(newest, signal)).toBe("deleted");
      expect(await vault.readVersion(older, signal)).toBe("deleted");
      await under.recover(name);
      expect((await current(name)).ref).toEqual(newest);
      expect(await vault.readVersion(older, signal)).toBe("disabled");
    });

    it("refuses to write a deleted name and says that a person must recover or purge it", async () => {
      const name = newName();
      const ref = await write(name, "before");
      await under.remove(name);
      const error = await failure(write(name, "hunter2"));
      expect(error).toBeInstanceOf(VaultUnavailableError);
      expect(error.message).toMatch(new RegExp(`${name}.*recover.* or purge it`, "i"));
      expect(error.message).not.toContain("hunter2");
      await under.recover(name);
      expect((await current(name)).ref).toEqual(ref);
    });

    it("accepts the disabling of a version of a deleted secret, and leaves it unchanged", async () => {
      const name = newName();
      const ref = await write(name, "value");
      await under.remove(name);
      await vault.disable(ref, signal);
      await under.recover(name);
      expect((await current(name)).value.reveal()).toBe("value");
    });

    it("lists no versions of a name that was never written, and none of a deleted one", async () => {
      expect(await vault.listVersions(newName(), signal)).toEqual([]);
      const name = newName();
      await write(name, "value");
      await under.remove(name);
      expect(await vault.listVersions(name, signal)).toEqual([]);
      await under.recover(name);
      expect(await vault.listVersions(name, signal)).toHaveLength(1);
    });

    it("lists every version of a name, newest first, with tags and without values", async () => {
      const name = newName();
      const refs: VersionRef[] = [];
      for (const letter of "abc") {
        refs.unshift(await write(name, `value-${letter}`, { tags: { letter } }));
        under.advance(1_000);
      }
      const [newest, middle, oldest] = refs;
      if (!middle) throw new Error("three versions were written");
      await vault.disable(middle, signal);
      const listed = await vault.listVersions(name, signal);
      expect(listed).toMatchObject([
        { ref: newest, enabled: true, tags: { letter: "c" } },
        { ref: middle, enabled: false, tags: { letter: "b" } },
        { ref: oldest, enabled: true, tags: { letter: "a" } },
      ]);
      expect(listed[0]?.createdAt).toBe((await current(name)).createdAt);
      expect(JSON.stringify(listed)).not.toContain("value-");
    });

    it("lists versions of the same second too, each once and always in the same order", async () => {
      const name = newName();
      const refs = await Promise.all(Array.from({ length: 60 }, () => write(name, "value")));
      const listed = await vault.listVersions(name, signal);
      expect(listed.map(({ ref }) => ref.version).toSorted()).toEqual(
        refs.map(({ version }) => version).toSorted(),
      );
      const times = listed.map(({ createdAt }) => createdAt);
      expect(times).toEqual(times.toSorted().reverse());
      expect(await vault.listVersions(name, signal)).toEqual(listed);
    });
  });
}
