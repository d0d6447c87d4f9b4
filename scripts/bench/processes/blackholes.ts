/** Listens and never accepts: its event loop is blocked, so connections beyond the backlog get no answer. */
import "../../../local/host/with-parent.ts";
import { once } from "node:events";
import { createServer } from "node:net";
import { z } from "zod";
import { answerCalls } from "../world/calls.ts";
import { listeningPort } from "../world/listening-port.ts";

const parent = process.ppid;

answerCalls({
  async listen(count) {
    const servers = Array.from({ length: z.number().parse(count) }, () =>
      createServer().listen({ host: "127.0.0.1", port: 0, backlog: 1 }),
    );
    await Promise.all(servers.map((server) => once(server, "listening")));
    setTimeout(standStill, 100);
    return servers.map(listeningPort);
  },
});

function standStill(): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  // A blocked event loop cannot notice in another way that the parent has ended.
  while (process.ppid === parent) Atomics.wait(cell, 0, 0, 1_000);
  process.exit();
}
