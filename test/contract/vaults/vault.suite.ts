import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import { ConfigError, VaultUnavailableError } from "../../../shared/core/errors.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import type {
  SecretContent,
  StoredSecret,
  Unreadable,
  Vault,
} from "../../../shared/vaults/vault.ts";

export interface VaultUnderTest {
  /** The vault under test; its name is `main`. */
  readonly vault: Vault;
  /** The versions, read from outside, in any order. */
  versions(name: string): Promise<readonly { version: string; enabled: boolean }[]>;
  /** Deletes the name so that it can be recovered; returns when the deletion is complete. */
  remove(name: string): Promise<void>;
  /** Recovers the deleted name; returns when the recovery is complete. */
  recover(name: string): Promise<void>;
  /** Moves the clock of the vault forward. */
  advance(milliseconds: number): void;
  close(): Promise<void>;
}

const awkwardValues = {
  "plain text": "correct horse battery staple",
  quotes: `'"\`\\'";--`,
  "JSON inside": JSON.stringify({ username: "app", password: 'p"w\\' }),
  "spaces at both ends": "  two  ",
  "line ends": "first\r\nsecond\nthird\r",
  "control characters": "\u0000\u0001\u001b[31m\u007f",
  "letters of many scripts": "пароль-密码-كلمة-Ünïcödé-e\u0301",
  "characters beyond 16 bits": "🔑🗝️🔐",
  "URL syntax": "a%2Fb?c=d&e=f#g/../h",
  "a name of an object's prototype": "__proto__",
};

/** Short forms of the calls that most tests make. */
export function vaultCalls(vault: () => Vault) {
  let names = 0;
  const signal = new AbortController().signal;
  return {
    signal,
    newName: () => `Secret-${++names}`,
    write: (name: string, value: string, rest: Partial<SecretContent> = {}) =>
      vault().write(name, { value: new Secret(value), contentType: "", tags: {}, ...rest }, signal),
    current: async (name: string) => readable(await vault().readCurrent(name, signal)),
  };
}

/** The rules for every vault. */
export function vaultSuite(title: string, start: () => Promise<VaultUnderTest>): void {
  describe(title, () => {
    let under: VaultUnderTest;
    let vault: Vault;
    beforeAll(async () => {
      under = await start();
      vault = under.vault;
    });
    afterAll(() => under.close());
    const { newName, signal, write, current } = vaultCalls(() => vault);

    it("says that a name never written is absent", async () => {
      expect(await vault.readCurrent(newName(), signal)).toBe("absent");
    });

    it("says that a version that does not exist is absent", async () => {
      const name = newName();
      const unknown = { vault: "main", name, version: "0".repeat(32) };
      expect(await vault.readVersion(unknown, signal)).toBe("absent");
      await write(name, "something");
      expect(await vault.readVersion(unknown, signal)).toBe("absent");
    });

    it.each(Object.entries(awkwardValues))("gives back %s exactly", async (_, value) => {
      const name = newName();
      const ref = await write(name, value);
      expect((await current(name)).value.reveal()).toBe(value);
      expect(readable(await vault.readVersion(ref, signal)).value.reveal()).toBe(value);
    });

    it("gives back everything that was written, to the whole second", async () => {
      const name = newName();
      const tags = { "keyturn-rotation": "01J", CredentialId: "orders_a", __proto__x: "ü 🔑" };
      const ref = await write(name, "value", {
        contentType: "application/json; charset=utf-8",
        expiresAt: "2031-05-06T07:08:09.876Z",
        tags,
      });
      expect(ref).toMatchObject({ vault: "main", name });
      for (const stored of [await current(name), await vault.readVersion(ref, signal)]) {
        expect(stored).toMatchObject({
          ref,
          contentType: "application/json; charset=utf-8",
          expiresAt: "2031-05-06T07:08:09.000Z",
          tags,
        });
      }
      const { createdAt } = await current(name);
      expect(createdAt).toMatch(/T\d\d:\d\d:\d\d\.000Z$/);

      under.advance(2_000);
      await write(name, "later");
      const { createdAt: later } = await current(name);
      expect(Date.parse(later) - Date.parse(createdAt)).toBeGreaterThanOrEqual(2_000);
    });

    it("never lets a new version inherit anything", async () => {
      const name = newName();
      await write(name, "old", {
        contentType: "text/plain",
        expiresAt: "2031-01-01T00:00:00.000Z",
        tags: { old: "yes" },
      });
      await write(name, "new", { tags: { new: "yes" } });
      const found = await current(name);
      expect(found).toMatchObject({ contentType: "", tags: { new: "yes" } });
      expect(found.tags).not.toHaveProperty("old");
      expect(found).not.toHaveProperty("expiresAt");
    });

    it("calls the newest version current and keeps the others readable", async () => {
      const name = newName();
      const first = await write(name, "first");
      const second = await write(name, "second");
      expect(second.version).not.toBe(first.version);
      expect((await current(name)).ref).toEqual(second);
      expect(readable(await vault.readVersion(first, signal)).value.reveal()).toBe("first");
      expect(await under.versions(name)).toHaveLength(2);
    });

    it("keeps every one of many versions written at once", async () => {
      const name = newName();
      const refs = await Promise.all(Array.from("abcdef").map((value) => write(name, value)));
      const values = await Promise.all(
        refs.map(async (ref) => readable(await vault.readVersion(ref, signal)).value.reveal()),
      );
      expect(values.join("")).toBe("abcdef");
      expect(new Set(refs.map((ref) => ref.version)).size).toBe(6);
    });

    it("ignores case in names", async () => {
      const name = newName();
      const ref = await write(name, "same");
      const other = name.toUpperCase();
      expect((await current(other)).ref).toEqual({ ...ref, name: other });
    });

    it("says that a disabled newest version is disabled and falls back to no older one", async () => {
      const name = newName();
      const older = await write(name, "older");
      const newest = await write(name, "newest");
      await vault.disable(newest, signal);
      expect(await vault.readCurrent(name, signal)).toBe("disabled");
      expect(await vault.readVersion(newest, signal)).toBe("disabled");
      expect(readable(await vault.readVersion(older, signal)).value.reveal()).toBe("older");
    });

    it("is readable again after a version that is written on top of a disabled one", async () => {
      const name = newName();
      await vault.disable(await write(name, "bad"), signal);
      await write(name, "good");
      expect((await current(name)).value.reveal()).toBe("good");
    });

    it("disables exactly the version it is given, as often as it is asked", async () => {
      const name = newName();
      const older = await write(name, "older", { tags: { kept: "yes" } });
      const newest = await write(name, "newest", { tags: { kept: "yes" } });
      await vault.disable(older, signal);
      await vault.disable(older, signal);
      expect(await vault.readVersion(older, signal)).toBe("disabled");
      expect(await current(name)).toMatchObject({ ref: newest, tags: { kept: "yes" } });
      const enabled = new Map(
        (await under.versions(name)).map((each) => [each.version, each.enabled]),
      );
      expect(enabled.get(older.version)).toBe(false);
      expect(enabled.get(newest.version)).toBe(true);
    });

    it("accepts the disabling of a version that no longer exists", async () => {
      const name = newName();
      const gone = { vault: "main", name, version: "f".repeat(32) };
      await vault.disable(gone, signal);
      await write(name, "value");
      await vault.disable(gone, signal);
      expect((await current(name)).value.reveal()).toBe("value");
    });

    it("takes content that is exactly as large as allowed", async () => {
      const name = `n${"-".repeat(125)}z`;
      const tags = Object.fromEntries(
        Array.from("abcdefghijklmno").map((letter) => [letter.repeat(512), "v".repeat(512)]),
      );
      const value = "ü".repeat(25 * 512);
      await write(name, value, { contentType: "c".repeat(255), tags });
      expect(await current(name)).toMatchObject({ contentType: "c".repeat(255), tags });
      expect((await current(name)).value.reveal()).toBe(value);
    });

    const sixteenTags = Object.fromEntries(Array.from("abcdefghijklmnop").map((tag) => [tag, tag]));
    const refusals: [string, string, Partial<SecretContent>][] = [
      ["a value of more than 25 KB", "ü".repeat(25 * 512) + "x", {}],
      ["a value that is not Unicode", "half \ud83d of a pair", {}],
      ["more than 15 tags", "hunter2", { tags: sixteenTags }],
      ["a tag of more than 512 characters", "hunter2", { tags: { tag: "x".repeat(513) } }],
      ["a tag with too long a name", "hunter2", { tags: { ["x".repeat(513)]: "" } }],
      ["a tag without a name", "hunter2", { tags: { "": "x" } }],
      ["too long a content type", "hunter2", { contentType: "x".repeat(256) }],
      ["an expiry that is no moment", "hunter2", { expiresAt: "soon" }],
      ["an expiry beyond 32 bits", "hunter2", { expiresAt: "2038-01-19T03:14:08.000Z" }],
    ];
    it.each(refusals)("refuses %s and writes nothing", async (_, value, rest) => {
      const name = newName();
      const error = await failure(write(name, value, rest));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toContain(name);
      expect(error.message).not.toContain(value);
      expect(await vault.readCurrent(name, signal)).toBe("absent");
    });

    it.each(["", "under_score", "a/b", "a b", "../x", "ü", "x".repeat(128)])(
      "refuses the name %j",
      async (name) => {
        const ref = { vault: "main", name, version: "0".repeat(32) };
        for (const attempt of [
          write(name, "value"),
          vault.readCurrent(name, signal),
          vault.readVersion(ref, signal),
          vault.listVersions(name, signal),
          vault.disable(ref, signal),
        ]) {
          expect(await failure(attempt)).toBeInstanceOf(ConfigError);
        }
      },
    );

    it("refuses a reference without a version, which would mean the newest", async () => {
      const name = newName();
      const ref = { ...(await write(name, "value")), version: "" };
      expect(await failure(vault.disable(ref, signal))).toBeInstanceOf(ConfigError);
      expect(await failure(vault.readVersion(ref, signal))).toBeInstanceOf(ConfigError);
      expect((await current(name)).value.reveal()).toBe("value");
    });

    it("refuses a reference into another vault", async () => {
      const ref = { ...(await write(newName(), "value")), vault: "other" };
      expect(await failure(vault.readVersion(ref, signal))).toBeInstanceOf(ConfigError);
      expect(await failure(vault.disable(ref, signal))).toBeInstanceOf(ConfigError);
    });

    it("does nothing for a caller that has cancelled", async () => {
      const name = newName();
      const ref = await write(name, "value");
      const fired = AbortSignal.abort(new Error("reason of the caller"));
      const content = { value: new Secret("late"), contentType: "", tags: {} };
      for (const attempt of [
        vault.readCurrent(name, fired),
        vault.readVersion(ref, fired),
        vault.listVersions(name, fired),
        vault.write(name, content, fired),
        vault.disable(ref, fired),
      ]) {
        expect(await failure(attempt)).toBeInstanceOf(VaultUnavailableError);
      }
      expect((await current(name)).ref).toEqual(ref);
    });
  });
}

export function readable(found: StoredSecret | Unreadable): StoredSecret {
  if (typeof found === "string") throw new Error(`expected a secret, which is ${found}`);
  return found;
}
