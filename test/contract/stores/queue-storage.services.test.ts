import { inspect } from "node:util";
import { QueueClient } from "@azure/storage-queue";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Azurite, startAzurite } from "../../../local/azurite.ts";
import { ConfigError } from "../../../shared/core/errors.ts";
import { type Queue, QueueUnavailableError } from "../../../shared/stores/queue.ts";
import { makeStorageQueue } from "../../../shared/stores/storage-queue.ts";
import { getPart, movedTo } from "../../stores/connection-strings.ts";
import { type LossyProxy, lossyProxy } from "../../stores/lossy-proxy.ts";
import { queueSuite } from "./queue.suite.ts";

let azurite: Azurite;
let connectionString: string;
let queues = 0;

beforeAll(async () => {
  azurite = await startAzurite({ memory: true });
  connectionString = azurite.connectionString;
});

afterAll(async () => {
  await azurite.close();
});

/** A separate queue, and a plain client that reads it. */
function opened(options: { connection?: string; deadline?: number } = {}) {
  const name = `work-${++queues}`;
  const { connection = connectionString, ...rest } = options;
  const client = new QueueClient(connectionString, name);
  return { client, queue: makeStorageQueue({ connectionString: connection }, name, rest) };
}

async function receive(client: QueueClient): Promise<unknown> {
  const { receivedMessageItems } = await client.receiveMessages();
  const [item] = receivedMessageItems;
  if (item === undefined) return undefined;
  await client.deleteMessage(item.messageId, item.popReceipt);
  return JSON.parse(item.messageText);
}

queueSuite("the queue in Azure Storage", () => {
  const { client, queue } = opened();
  return {
    queue,
    receive: () => receive(client),
    pass: async () => {
      const visible = async () => (await client.peekMessages()).peekedMessageItems.length;
      await expect.poll(visible, { timeout: 30_000 }).toBe(1);
    },
  };
});

const queueOrigin = () => new URL(getPart(connectionString, "QueueEndpoint")).origin;
const through = (proxy: LossyProxy) => movedTo(connectionString, "QueueEndpoint", proxy.url);
const message = { targetId: "orders-db", because: "due" };

describe("the queue in Azure Storage, seen from the line", () => {
  it("is created when it is missing, and again after a deletion", async () => {
    const { client, queue } = opened();
    expect(await client.exists()).toBe(false);
    await queue.send(message);
    expect(await receive(client)).toStrictEqual(message);
    await client.delete();
    await queue.send(message);
    expect(await receive(client)).toStrictEqual(message);
  });

  it("rounds delays up, cuts them to seven days, and keeps a message beyond its delay", async () => {
    const proxy = await lossyProxy(queueOrigin());
    const { queue } = opened({ connection: through(proxy) });
    const week = 7 * 24 * 60 * 60;
    await queue.send(message);
    for (const [delay, seconds] of [
      [0, 0],
      [1, 1],
      [1_000, 1],
      [1_001, 2],
      [week * 1_000, week],
      [week * 1_000 + 1, week],
    ] as const) {
      await queue.send(message, delay);
      const query = new URL((proxy.seen.at(-1) ?? "").split(" ")[1] ?? "", proxy.url).searchParams;
      expect(query.get("visibilitytimeout")).toBe(String(seconds));
      expect(query.get("messagettl")).toBe(String(seconds + week));
    }
    await proxy.close();
  });

  it("sends again when the reply was lost, so a message may come twice", async () => {
    const proxy = await lossyProxy(queueOrigin());
    const { client, queue } = opened({ connection: through(proxy) });
    await queue.send(message);
    proxy.loseReply(/messages/);
    await queue.send(message);
    expect(await receive(client)).toStrictEqual(message);
    expect(await receive(client)).toStrictEqual(message);
    await proxy.close();
  });
});

describe("a queue that cannot be reached", () => {
  const key = () => getPart(connectionString, "AccountKey");

  async function expectUnavailable(queue: Queue): Promise<void> {
    const error: unknown = await queue.send(message).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(QueueUnavailableError);
    expect(String(error)).toMatch(/The work queue could not be reached: [\w ,-]+\.$/);
    const shown = inspect(error, { depth: 10 });
    expect(shown).not.toContain(key());
    expect(shown).not.toMatch(/SharedKey|authorization:|sig=/i);
  }

  it("reports a refused connection", async () => {
    const proxy = await lossyProxy(queueOrigin());
    await proxy.close();
    await expectUnavailable(opened({ connection: through(proxy) }).queue);
  });

  it("reports a queue that never answers, after the deadline", async () => {
    const proxy = await lossyProxy(queueOrigin());
    proxy.hang(/./);
    await expectUnavailable(opened({ connection: through(proxy), deadline: 100 }).queue);
    await proxy.close();
  });

  it("reports a wrong key", async () => {
    const wrong = Buffer.from("wrong").toString("base64");
    await expectUnavailable(opened({ connection: connectionString.replace(key(), wrong) }).queue);
  });

  it("is refused as configuration when keys would be sent unencrypted", () => {
    const away = movedTo(connectionString, "QueueEndpoint", "http://10.0.0.1:10001");
    for (const connection of ["", "nonsense", "AccountName=a;AccountKey=c2VjcmV0", away]) {
      const open = () => makeStorageQueue({ connectionString: connection }, "work");
      expect(open).toThrow(ConfigError);
      expect(open).not.toThrow(/c2VjcmV0/);
    }
    const credential = { getToken: () => Promise.resolve(null) };
    const at = (endpoint: string) => () => makeStorageQueue({ endpoint, credential }, "work");
    expect(at("http://store.example")).toThrow(ConfigError);
    expect(at("https://store.example")).not.toThrow();
    expect(at("https://store.example/")).not.toThrow();
  });
});
