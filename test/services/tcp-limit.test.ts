import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { listen } from "../../conformance/faults/listening.ts";
import { type DeadServers, startBlackholes } from "../../scripts/bench/world/dead-servers.ts";
import { canConnect } from "../../shared/rotators/common/connection/can-connect.ts";
import { connectTcp, limitTcp } from "../../shared/rotators/common/connection/tcp-limit.ts";

const portIn = ({ ports: [port] }: DeadServers): number => port ?? 0;

test("a server that accepts no connection times out with the system's error", async () => {
  const hole = await startBlackholes(1);
  const socket = new Socket();
  limitTcp(socket, 100);
  socket.connect(portIn(hole), "127.0.0.1");
  const [error] = (await once(socket, "error")) as [unknown];
  expect(error).toMatchObject({ code: "ETIMEDOUT" });
  expect(socket.destroyed).toBe(true);
  await hole.close();
});

test("an existing connection does not time out", async () => {
  const server = await listen(createServer());
  const socket = await connectTcp("127.0.0.1", server.port, undefined);
  expect(socket.readyState).toBe("open");
  socket.destroy();
  await server.close();
});

test("the signal ends a connection attempt", async () => {
  const hole = await startBlackholes(1);
  const ending = new AbortController();
  const connecting = connectTcp("127.0.0.1", portIn(hole), ending.signal);
  ending.abort();
  await expect(connecting).rejects.toThrow("timed out");
  await hole.close();
});

test("a port without a listener is reported at once", async () => {
  const closed = await listen(createServer());
  await closed.close();
  await expect(connectTcp("127.0.0.1", closed.port, undefined)).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
});

describe("canConnect", () => {
  test("is false for a silent server after about two seconds", async () => {
    const hole = await startBlackholes(1);
    await expect(canConnect(`127.0.0.1:${portIn(hole)}`)).resolves.toBe(false);
    await hole.close();
  });

  test("is true where a server listens, which receives no data", async () => {
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

  test("is true when one of several servers answers, and false when none does", async () => {
    const holes = await startBlackholes(2);
    const [first, second] = holes.ports.map((port) => `127.0.0.1:${port}`);
    const server = await listen(createServer());
    await expect(canConnect(`${first},127.0.0.1:${server.port}`)).resolves.toBe(true);
    await expect(canConnect(`${first},${second}`)).resolves.toBe(false);
    await expect.poll(() => server.connections.open).toBe(0);
    await server.close();
    await holes.close();
  });

  test("is true where a call would get an error at once", async () => {
    const closed = await listen(createServer());
    await closed.close();
    await expect(canConnect(`127.0.0.1:${closed.port}`)).resolves.toBe(true);
    await expect(canConnect("no-such-host.invalid:5432")).resolves.toBe(true);
    await expect(canConnect("::1:0")).resolves.toBe(true);
  });
});
