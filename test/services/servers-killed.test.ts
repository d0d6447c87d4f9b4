import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isRunning } from "../servers/process/is-running.ts";
import { startRedis } from "../servers/redis.ts";

/** Starts one server of each kind of machinery, prints their process ids and its folder, and does nothing more. */
const program = (directory: string) => `
  import { startPostgres } from ${JSON.stringify(import.meta.resolve("../../local/postgres.ts"))};
  import { startRedis } from ${JSON.stringify(import.meta.resolve("../servers/redis.ts"))};
  const postgres = await startPostgres({ directory: ${JSON.stringify(directory)}, throwaway: true });
  const redis = await startRedis();
  console.log(JSON.stringify({ pids: [postgres.pid, redis.pid], folder: redis.folder }));
`;

interface Printed {
  readonly pids: readonly number[];
  readonly folder: string;
}

test("Servers end when their test process is killed, and the next run deletes their folders", async () => {
  const directory = await mkdtemp(join(tmpdir(), "keyturn-killed-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const args = ["--input-type=module", "--eval", program(join(directory, "cluster"))];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [printed] = (await once(child.stdout, "data")) as [Buffer];
  const { pids, folder } = JSON.parse(printed.toString()) as Printed;
  for (const pid of pids) expect(isRunning(pid)).toBe(true);

  child.kill("SIGKILL");
  await once(child, "close");
  for (const pid of pids) await expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false);
  expect(existsSync(folder)).toBe(true);
  const next = await startRedis();
  onTestFinished(() => next.stop());
  expect(existsSync(folder)).toBe(false);
}, 300_000);
