import { type QueueClient, QueueServiceClient } from "@azure/storage-queue";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Azurite, startAzurite } from "../../../local/azurite.ts";
import type { HostOptions } from "../../../local/host/host.ts";
import { type HostedFixture, hostFixture } from "./hosted-fixture.ts";

let azurite: Azurite;
let queues: QueueServiceClient;
let host: HostedFixture;

const hostQueues = (name: string, options: Partial<HostOptions> = {}) =>
  hostFixture({
    main: "functions/queues.ts",
    settings: { WORK_QUEUE: name, POISON_QUEUE: `${name}-poison` },
    storageConnection: azurite.connectionString,
    ...options,
  });

beforeAll(async () => {
  azurite = await startAzurite({ memory: true });
  queues = QueueServiceClient.fromConnectionString(azurite.connectionString);
  host = await hostQueues("work");
});
afterAll(async () => {
  await host.close();
  await azurite.close();
});

const base64 = (text: string) => Buffer.from(text).toString("base64");
const send = (queue: string, text: string) =>
  queues.getQueueClient(queue).sendMessage(base64(text));

async function countMessages(queue: QueueClient): Promise<number | undefined> {
  return (await queue.getProperties()).approximateMessagesCount;
}
const empties = (name: string) =>
  expect.poll(() => countMessages(queues.getQueueClient(name)), { timeout: 20_000 }).toBe(0);

async function contents(name: string, count: number): Promise<string[]> {
  const queue = queues.getQueueClient(name);
  await expect.poll(() => countMessages(queue), { timeout: 20_000 }).toBe(count);
  const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
  return receivedMessageItems
    .map(({ messageText }) => Buffer.from(messageText, "base64").toString("utf8"))
    .toSorted();
}

const runs = (said: readonly string[], start: string) =>
  said.filter((line) => line.startsWith(start));

describe("A queue function", () => {
  test("receives a JSON message as a value, and the message is deleted afterwards", async () => {
    await send("work", '{"id":1}');
    expect(await host.heard("work", "worked")).toBe('worked {"id":1}');
    await empties("work");
    expect(runs(host.said("work"), 'work {"id":1}')).toEqual(['work {"id":1} (1)']);
  });

  test("receives a message that is not JSON as text", async () => {
    await send("work", "plain");
    expect(await host.heard("work", 'worked "plain"')).toBe('worked "plain"');
  });

  test("is tried maxDequeueCount times before the message moves to the poison queue", async () => {
    await send("work", '{"do":"fail"}');
    await host.heard("poisoned", 'poisoned {"do":"fail"}');
    await empties("work");
    expect(runs(host.said("work"), 'work {"do":"fail"}')).toEqual(
      [1, 2, 3].map((count) => `work {"do":"fail"} (${String(count)})`),
    );
  });

  test("does not receive a message in the wrong encoding, which moves unchanged to the poison queue", async () => {
    const before = host.said("work").length;
    const settings = { WORK_QUEUE: "raw", POISON_QUEUE: "elsewhere-poison" };
    const other = await hostQueues("raw", { settings });
    const poison = queues.getQueueClient("raw-poison");
    await queues.getQueueClient("raw").sendMessage("{not base64}");
    await expect
      .poll(() => other.records.some(({ message }) => message.includes("raw-poison")))
      .toBe(true);
    await empties("raw");
    await other.close();
    const { peekedMessageItems } = await poison.peekMessages();
    expect(peekedMessageItems.map(({ messageText }) => messageText)).toEqual(["{not base64}"]);
    expect(host.said("work")).toHaveLength(before);
  });

  test("sends an array to an output as one message per element, and its result to the other", async () => {
    await send("work", "fan return");
    expect(await contents("fan-out", 2)).toEqual(["one", '{"number":2}'].toSorted());
    expect(await contents("done", 1)).toEqual(['{"returned":"fan return"}']);
  });

  test("handles several messages at once, up to the limit in the settings", async () => {
    const other = await hostQueues("many");
    for (let index = 0; index < 9; index++) await send("many", `slow ${String(index)}`);
    await expect.poll(() => runs(other.said("work"), "work ").length).toBe(4);
    await expect
      .poll(() => runs(other.said("work"), "worked ").length, { timeout: 20_000 })
      .toBe(9);
    await other.close();
    const lines = other.said("work").map((line) => line.split(" ")[0]);
    const depths = lines.map(
      (_, end) =>
        lines.slice(0, end + 1).filter((word) => word === "work").length -
        lines.slice(0, end + 1).filter((word) => word === "worked").length,
    );
    // batchSize 4 + newBatchThreshold 2
    expect(Math.max(...depths)).toBeLessThanOrEqual(6);
    expect(lines.filter((word) => word === "work")).toHaveLength(9);
  });

  test("keeps its message invisible while it runs, even with a short lease", async () => {
    const other = await hostQueues("long", { leaseSeconds: 1 });
    await send("long", "slow one");
    await other.heard("work", "worked");
    await empties("long");
    await other.close();
    expect(runs(other.said("work"), "work ")).toEqual(['work "slow one" (1)']);
  });

  test("runs to its end when the host closes, and its message is deleted", async () => {
    const other = await hostQueues("closing");
    await send("closing", "slow");
    await other.heard("work", "work ");
    await other.close();
    expect(other.said("work").at(-1)).toBe('worked "slow"');
    await empties("closing");
  });

  test("can be started by hand, with a text as its message", async () => {
    const body = JSON.stringify({ input: "by hand" });
    const response = await fetch(`${host.url}/admin/functions/work`, {
      method: "POST",
      headers: { "x-functions-key": host.keys.master },
      body,
    });
    expect(response.status).toBe(202);
    expect(await host.heard("work", 'worked "by hand"')).toBeDefined();
  });
});

describe("A poison queue", () => {
  test("has no poison queue of its own: a message that fails there stays", async () => {
    await queues.createQueue("last").catch(() => undefined);
    const other = await hostQueues("last", { leaseSeconds: 1 });
    await send("last-poison", "even here");
    await expect
      .poll(() => other.records.some(({ message }) => message.includes("has no poison queue")), {
        timeout: 20_000,
      })
      .toBe(true);
    await other.close();
    const names: string[] = [];
    for await (const { name } of queues.listQueues()) names.push(name);
    expect(names).toContain("last-poison");
    expect(names).not.toContain("last-poison-poison");
    expect(await countMessages(queues.getQueueClient("last-poison"))).toBe(1);
  });
});

describe("A connection", () => {
  test("that uses an identity is refused with the name of the setting", async () => {
    const settings = {
      WORK_QUEUE: "w",
      POISON_QUEUE: "p",
      AzureWebJobsStorage__queueServiceUri: "https://x",
    };
    const starting = hostFixture({ main: "functions/queues.ts", settings });
    await expect(starting).rejects.toThrow(
      /uses an identity \(AzureWebJobsStorage__queueServiceUri\)/,
    );
  });

  test("that is missing is refused together with every other problem", async () => {
    const starting = hostFixture({ main: "functions/queues.ts" });
    await expect(starting).rejects.toThrow(/work: .*WORK_QUEUE.*\npoisoned: .*POISON_QUEUE/);
  });
});

describe("Hooks", () => {
  test("change inputs and handlers, see and clear errors, and filter the log", async () => {
    const hooked = await hostFixture({
      main: "functions/hook*.ts",
      storageConnection: azurite.connectionString,
    });
    await send("hooked", "hello");
    await hooked.heard("hooked", "after");
    expect(hooked.said("hooked")).toEqual([
      "wrapped",
      'got {"replaced":"hello"}',
      "[redacted] is not for the log",
      "after: before, error: none",
    ]);
    await send("hooked", "forgive me");
    await expect.poll(() => hooked.said("hooked").at(-1)).toBe("after: before, error: forgiven");
    await empties("hooked");
    await hooked.close();
    expect(hooked.records.some(({ message }) => message.includes("(Failed"))).toBe(false);
    expect(JSON.stringify(hooked.records)).not.toMatch(/hush|hide this line|nobody needs/);
  });
});
