import { spawn } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { TableClient } from "@azure/data-tables";
import { QueueServiceClient } from "@azure/storage-queue";
import { expect, test } from "vitest";
import { startAzurite } from "../../../local/azurite.ts";

const queue = (connection: string) =>
  QueueServiceClient.fromConnectionString(connection).getQueueClient("kept");
const table = (connection: string) =>
  TableClient.fromConnectionString(connection, "kept", { allowInsecureConnection: true });

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("Azurite keeps queues and tables in its folder across a restart", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "azurite-"));
  const first = await startAzurite({ directory });
  await queue(first.connectionString).create();
  await queue(first.connectionString).sendMessage("still here");
  await table(first.connectionString).createTable();
  await table(first.connectionString).createEntity({ partitionKey: "p", rowKey: "r", value: 1 });
  await first.close();
  expect(isAlive(first.pid)).toBe(false);

  const second = await startAzurite({ directory });
  const { peekedMessageItems } = await queue(second.connectionString).peekMessages();
  expect(peekedMessageItems.map(({ messageText }) => messageText)).toEqual(["still here"]);
  expect(await table(second.connectionString).getEntity("p", "r")).toMatchObject({ value: 1 });
  await second.close();
  await second.exited;
});

test("several run side by side on ports of their own", async () => {
  const both = await Promise.all([startAzurite({ memory: true }), startAzurite({ memory: true })]);
  const [a, b] = both;
  expect(a.connectionString).not.toBe(b.connectionString);
  await queue(a.connectionString).create();
  expect(await queue(b.connectionString).exists()).toBe(false);
  await Promise.all(both.map((azurite) => azurite.close()));
});

test("Azurite ends when the process that started it is killed", async () => {
  const program = `
    const { startAzurite } = await import(${JSON.stringify(import.meta.resolve("../../../local/azurite.ts"))});
    console.log((await startAzurite({ memory: true })).pid);
  `;
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(parent.stdout)[Symbol.asyncIterator]();
  const pid = Number((await lines.next()).value);
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
});
