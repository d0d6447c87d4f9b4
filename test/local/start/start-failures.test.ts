import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { claimLength } from "../../../local/environment.ts";
import { claimLength as claimLengthOfTheApp } from "../../../shared/core/lifecycle/decide.ts";
import { choosePlaces, dataFolder, environment, isAlive, start } from "./start-fixture.ts";

/** Command lines of running processes that name the folder. */
async function processesOn(folder: string): Promise<string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = ids.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => ""));
  return (await Promise.all(lines)).filter((line) => line.includes(folder));
}

const stackLine = /^ {4}at /m;

describe("npm start", () => {
  test("refuses a data folder with files of others, and does not change it", async () => {
    const data = await dataFolder();
    await writeFile(join(data, "thesis.txt"), "mine");
    const refused = start("--data", data);
    expect(await refused.exited).toBe(1);
    expect(await refused.errors).toBe(
      `The data folder ${data} (--data) is not empty and was not created by Keyturn. Use an empty folder or a new one.\n`,
    );
    expect(await readdir(data)).toEqual(["thesis.txt"]);
  });

  test("explains itself and stops every child when its log cannot be created", async () => {
    const data = await dataFolder();
    await writeFile(join(data, "made-by-keyturn"), "");
    await mkdir(join(data, "functions.log"));
    const failing = start("--data", data);
    expect(await failing.exited).toBe(1);
    const errors = await failing.errors;
    expect(errors).toContain("functions.log");
    expect(errors).not.toMatch(stackLine);
    expect(await processesOn(data)).toEqual([]);
    expect(await readdir(data)).not.toContain("lock");
  });

  test("explains itself and stops every child when its log can no longer be written", async () => {
    const data = await dataFolder();
    const failing = start("--data", data);
    const { logs, processes } = await choosePlaces(data, failing);
    await rm(logs.functions);
    await mkdir(logs.functions);
    expect(await failing.exited).toBe(1);
    const errors = await failing.errors;
    expect(errors).toContain("its log cannot be written: ");
    expect(errors).not.toMatch(stackLine);
    for (const { name, pid } of processes) expect(isAlive(pid), name).toBe(false);
    expect(await processesOn(data)).toEqual([]);
  }, 400_000);

  test("lists, uses and rotates only the targets of the given configuration", async () => {
    const data = await dataFolder();
    expect(await start("--once", "--data", data).exited).toBe(0);
    const seeded = await readFile(join(data, "keyturn.yaml"), "utf8");
    const own = seeded
      .replace(/^ {2}# one account[^]*?^notify:/m, "notify:")
      .replace("  orders:\n", "  shop:\n");
    const config = join(data, "shop.yaml");
    await writeFile(config, own);
    const once = start("--once", "--data", data, "--config", config);
    expect(await once.exited, await once.errors).toBe(0);
    const output = await once.output;
    expect(output).toMatch(/^ {2}shop +postgresql: orders_a and orders_b take turns$/m);
    expect(output).toMatch(/^shop +orders_[ab] → orders_[ab] .* m?s +\d+ +0$/m);
    expect(output).toMatch(/^consumer {2}shop: \d+ log-ins, 0 failed$/m);
    expect(output).not.toMatch(/reports|inventory/);
  }, 400_000);
});

test("A killed host is reported at once, with the time at which its claims expire", async () => {
  const data = await dataFolder();
  const { notes, killHost } = await environment({ data, every: "1h" });
  await killHost();
  expect(notes).toEqual([
    expect.stringMatching(
      /^The Functions host was killed \(SIGKILL\) and is restarting\. .* at \d\d:\d\d:\d\d at the latest\. /,
    ),
    expect.stringMatching(/^The Functions host is running again\. /),
  ]);
  expect(claimLength).toBe(claimLengthOfTheApp);
}, 400_000);
