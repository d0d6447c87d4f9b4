/** Listens and never accepts: its event loop stands still, so that connections beyond its backlog are not answered. */
import { once } from "node:events";
import { createServer } from "node:net";
import { answerCalls } from "../calls.ts";

const parent = process.ppid;

answerCalls({
  async listen() {
    const server = createServer().listen({ host: "127.0.0.1", port: 0, backlog: 1 });
    await once(server, "listening");
    const address = server.address();
    setTimeout(standStill, 100);
    return typeof address === "object" ? address?.port : undefined;
  },
});

function standStill(): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  // Nothing else would notice that the parent is gone.
  while (process.ppid === parent) Atomics.wait(cell, 0, 0, 1_000);
  process.exit();
}
