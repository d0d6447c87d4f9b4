import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { listen } from "../../../conformance/faults/listening.ts";
import { type Line, lineTo } from "./line.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Makes a line to a server that echoes its input. */
async function lineToEcho(): Promise<{ line: Line; heard: string[] }> {
  const heard: string[] = [];
  const server = await listen(
    createServer((socket) => {
      socket.on("data", (chunk) => {
        heard.push(chunk.toString());
        socket.write(chunk);
      });
    }),
  );
  const line = await lineTo(server.port);
  ends.push(
    () => server.close(),
    () => line.close(),
  );
  return { line, heard };
}

async function open(line: Line): Promise<Socket> {
  const client = connect(line.port, "127.0.0.1");
  // A reset at the end of a test does not matter.
  client.on("error", () => undefined);
  await once(client, "connect");
  return client;
}

/** A reset is an end as well. */
const closing = (client: Socket): Promise<void> =>
  new Promise((resolve) => {
    client.once("close", () => {
      resolve();
    });
  });

const answerTo = async (client: Socket, text: string): Promise<string> => {
  client.write(text);
  const [chunk] = (await once(client, "data")) as [Buffer];
  return chunk.toString();
};

test("A line forwards data unchanged", async () => {
  const { line } = await lineToEcho();
  const client = await open(line);
  expect(await answerTo(client, "hello")).toBe("hello");
});

test("After a silencing text, the server receives it, the client gets no answer, and other connections still work", async () => {
  const { line, heard } = await lineToEcho();
  line.silenceAfter("COMMIT");
  const silent = await open(line);
  const answers: string[] = [];
  silent.on("data", (chunk) => answers.push(chunk.toString()));
  silent.write("COMMIT");
  await vi.waitFor(() => {
    expect(heard).toEqual(["COMMIT"]);
  });
  const other = await open(line);
  expect(await answerTo(other, "COMMIT")).toBe("COMMIT");
  expect(answers).toEqual([]);
  const closed = closing(silent);
  await line.restore();
  await closed;
});

test("A line that refuses connections does so until it is restored, and keeps its port", async () => {
  const { line } = await lineToEcho();
  const client = await open(line);
  const closed = closing(client);
  await line.refuse();
  await closed;
  await expect(open(line)).rejects.toThrow("ECONNREFUSED");
  await line.restore();
  expect(await answerTo(await open(line), "again")).toBe("again");
});

test("A lost reply resets the connection after the server has received the request", async () => {
  const { line, heard } = await lineToEcho();
  line.loseReplies(() => true);
  const client = await open(line);
  await expect(answerTo(client, "write")).rejects.toThrow("ECONNRESET");
  expect(heard).toEqual(["write"]);
});
