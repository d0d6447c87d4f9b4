import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { type DeadServers, startBlackholes } from "../../scripts/bench/world/dead-servers.ts";
import { canConnect } from "../../shared/rotators/connection/can-connect.ts";
import { connectTcp, limitTcp } from "../../shared/rotators/connection/tcp-limit.ts";
import { listen } from "../doubles/listening.ts";

const portIn = ({ ports: [port] }: DeadServers): number => port ?? 0;

test("a server that takes no connection is given up in time, as the system would say it", async () => {
  const hole = await startBlackholes(1);
  const socket = new Socket();
  limitTcp(socket, 100);
  socket.connect(portIn(hole), "127.0.0.1");
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
  const hole = await startBlackholes(1);
  const ending = new AbortController();
  const connecting = connectTcp("127.0.0.1", portIn(hole), ending.signal);
  ending.abort();
  await expect(connecting).rejects.toThrow("the deadline has passed");
  await hole.close();
});

test("the host refused the connection is said at once", async () => {
  const closed = await listen(createServer());
  await closed.close();
  await expect(connectTcp("127.0.0.1", closed.port, undefined)).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
});

describe("whether a server can be connected to", () => {
  test("is no while it says nothing, and nobody waits for more than about a second", async () => {
    const hole = await startBlackholes(1);
    await expect(canConnect(`127.0.0.1:${portIn(hole)}`)).resolves.toBe(false);
    await hole.close();
  });

  test("is yes where something listens, which hears nothing from us", async () => {
    const heard: Buffer[] = [];
    const left = Promise.withResolvers<undefined>();
    const server = await listen(
      createServer((socket) => {
        socket.on("data", (data) => heard.push(data));
        socket.on("close", () => {
          left.resolve(undefined);
        });
        socket.resume();
      }),
    );
    await expect(canConnect(`127.0.0.1:${server.port}`)).resolves.toBe(true);
    await left.promise;
    expect(heard).toEqual([]);
    await server.close();
  });

  test("is yes where a call would be told at once what is wrong", async () => {
    const closed = await listen(createServer());
    await closed.close();
    await expect(canConnect(`127.0.0.1:${closed.port}`)).resolves.toBe(true);
    await expect(canConnect("no-such-host.invalid:5432")).resolves.toBe(true);
    await expect(canConnect("::1:0")).resolves.toBe(true);
  });
});
