import { createServer, type Socket } from "node:net";
import { listen } from "./listening.ts";

/** Forwards connections, and can delay commands for as long as a test wants, also after their client is gone. */
export interface HoldProxy {
  readonly port: number;
  /** From now on, whatever contains the text waits, with everything that its connection sends after it. */
  holdAt(text: string): void;
  /** The connections whose commands wait now. */
  waiting(): readonly number[];
  /** Sends what waits, in the order of its arrival, and resolves when the server has received it. */
  release(): Promise<void>;
  close(): Promise<void>;
}

/** Works for plain text between the client and this proxy. `dial` opens the connection to the server, which may use TLS. */
export async function holdProxy(dial: () => Socket): Promise<HoldProxy> {
  const held = new Map<
    number,
    { readonly client: Socket; readonly server: Socket; readonly chunks: Buffer[] }
  >();
  let text: string | undefined;
  let number = 0;

  function join(client: Socket, server: Socket): void {
    const id = ++number;
    client.on("error", () => undefined);
    server.on("error", () => client.destroy());
    server.on("close", () => client.destroy());
    server.on("data", (answer) => {
      if (client.writable) client.write(answer);
    });
    client.on("data", (sent: Buffer) => {
      const before = held.get(id);
      if (before !== undefined) before.chunks.push(sent);
      else if (text !== undefined && sent.includes(text))
        held.set(id, { client, server, chunks: [sent] });
      else server.write(sent);
    });
    client.on("close", () => {
      if (!held.has(id)) server.destroy();
    });
  }

  const listening = await listen(
    createServer((client) => {
      join(client, dial());
    }),
  );
  async function release(): Promise<void> {
    text = undefined;
    const all = [...held.values()];
    held.clear();
    for (const { client, server, chunks } of all) {
      if (server.destroyed) continue;
      const isSent = Promise.withResolvers<undefined>();
      server.once("data", () => {
        isSent.resolve(undefined);
      });
      server.once("close", () => {
        isSent.resolve(undefined);
      });
      server.write(Buffer.concat(chunks));
      await isSent.promise;
      if (client.destroyed) server.destroy();
    }
  }
  return {
    port: listening.port,
    holdAt: (next) => (text = next),
    waiting: () => [...held.keys()],
    release,
    async close() {
      await release();
      await listening.close();
    },
  };
}
