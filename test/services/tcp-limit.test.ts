import { createServer, Socket } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { connectTcp, limitTcp } from "../../shared/rotators/tcp-limit.ts";
import { listen } from "../doubles/listening.ts";
import { startBlackhole } from "../../scripts/bench/dead-servers.ts";

test("a server that takes no connection is given up in time, as the system would say it", async () => {
  const hole = await startBlackhole();
  const socket = new Socket();
  limitTcp(socket, 100);
  socket.connect(hole.port, "127.0.0.1");
  const [error] = (await once(socket, "error")) as [unknown];
  expect(error).toMatchObject({ code: "ETIMEDOUT" });
  expect(socket.destroyed).toBe(true);
  await hole.close();
});

test("a connection that is there is not given up", async () => {
  const server = await listen(createServer());
  const socket = await connectTcp("127.0.0.1", server.port, undefined);
  expect(socket.readyState).toBe("open");
  socket.destroy();
  await server.close();
});

test("a connection that is still being made ends with the signal", async () => {
  const hole = await startBlackhole();
  const ending = new AbortController();
  const connecting = connectTcp("127.0.0.1", hole.port, ending.signal);
  ending.abort();
  await expect(connecting).rejects.toThrow("no time is left");
  await hole.close();
});

test("nothing listens there is said at once", async () => {
  const closed = await listen(createServer());
  await closed.close();
  await expect(connectTcp("127.0.0.1", closed.port, undefined)).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
});
