import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** The connection from the hosts to a server on 127.0.0.1, which can fail in several ways. */
export interface Line {
  readonly port: number;
  /** The server is at this port from now on. */
  leadTo(serverPort: number): void;
  /** Resets open connections, and refuses new ones until `restore`. */
  refuse(): Promise<void>;
  /** Resets open connections. New connections work. */
  cut(): void;
  /**
   * The next time that a client sends this text, the server receives it, and that connection then stays open and silent until
   * `restore`. Works for plain text only.
   */
  silenceAfter(text: string): void;
  /** Loses the reply, and resets the connection, whenever `isLost` returns true for a chunk of an answer. */
  loseReplies(isLost: () => boolean): void;
  /** Ends all faults of the line. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

interface Trouble {
  silenceAfter?: string;
  isLost?: () => boolean;
}

export async function lineTo(firstPort: number): Promise<Line> {
  let serverPort = firstPort;
  let trouble: Trouble = {};
  const open = new Set<Socket>();
  const silent = new Set<Socket>();

  const server = createServer((client) => {
    const upstream = connect(serverPort, "127.0.0.1");
    open.add(client);
    const isSilent = () => silent.has(client);
    client.on("error", () => undefined);
    client.on("close", () => {
      open.delete(client);
      silent.delete(client);
      upstream.destroy();
    });
    client.on("data", (sent) => {
      if (isSilent()) return;
      upstream.write(sent);
      if (trouble.silenceAfter !== undefined && sent.includes(trouble.silenceAfter)) {
        delete trouble.silenceAfter;
        silent.add(client);
      }
    });
    client.on("end", () => {
      if (!isSilent()) upstream.end();
    });
    upstream.on("data", (answer) => {
      if (isSilent()) return;
      if (trouble.isLost?.() === true) client.resetAndDestroy();
      else client.write(answer);
    });
    upstream.on("error", () => undefined);
    upstream.on("close", () => {
      if (!isSilent()) client.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = getPort(server.address());

  const cut = () => {
    for (const client of open) client.resetAndDestroy();
  };
  const stopListening = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    cut();
    await closed;
  };
  return {
    port,
    leadTo(next) {
      serverPort = next;
    },
    refuse: stopListening,
    cut,
    silenceAfter(text) {
      trouble = { ...trouble, silenceAfter: text };
    },
    loseReplies(isLost) {
      trouble = { ...trouble, isLost };
    },
    async restore() {
      trouble = {};
      for (const client of silent) client.resetAndDestroy();
      if (server.listening) return;
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    close: stopListening,
  };
}

function getPort(address: ReturnType<ReturnType<typeof createServer>["address"]>): number {
  if (address === null || typeof address === "string") throw new Error("not listening on TCP");
  return address.port;
}
