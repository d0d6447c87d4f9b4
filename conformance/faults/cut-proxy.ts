import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { listen, reset } from "./listening.ts";

/**
 * - `lost`: what set it off does not reach the server.
 * - `carried-out`: the server has answered it, and the answer does not reach the client.
 * - `unanswered`: like carried-out, but the line stays open and silent.
 */
export type CutKind = "lost" | "carried-out" | "unanswered";

export interface CutProxy {
  readonly port: number;
  /** The line is cut the next time that a client sends this text. */
  cutAt(text: string, kind: CutKind): void;
  /** Ends every open connection. */
  hangUp(): void;
  close(): Promise<void>;
}

/**
 * Forwards connections to a server, given by a port of 127.0.0.1 or a function that connects to it, and cuts them in the middle. TLS of
 * a client passes through, and then no text can set off a cut, unless the proxy has a certificate.
 */
export async function cutProxy(
  server: number | (() => Socket),
  onSilence: () => void = () => undefined,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<CutProxy> {
  const dial = typeof server === "number" ? () => connect(server, "127.0.0.1") : server;
  const clients = new Set<Socket>();
  let armed: { readonly text: string; readonly kind: CutKind } | undefined;

  function join(client: Socket, server: Socket): void {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    let answering: CutKind | undefined;
    server.on("error", () => client.destroy());
    server.on("close", () => client.destroy());
    client.on("close", () => server.destroy());
    client.on("data", (sent) => {
      if (armed !== undefined && sent.includes(armed.text)) {
        answering = armed.kind;
        armed = undefined;
        if (answering === "lost") {
          server.destroy();
          reset(client);
          return;
        }
      }
      server.write(sent);
    });
    server.on("data", (answer) => {
      if (answering === undefined) client.write(answer);
      else if (answering === "carried-out") reset(client);
      else onSilence();
    });
  }

  const accept = (client: Socket) => {
    join(client, dial());
  };
  const listening = await listen(
    certificate === undefined ? createServer(accept) : createTlsServer(certificate, accept),
  );
  return {
    port: listening.port,
    close: () => listening.close(),
    cutAt(text, kind) {
      armed = { text, kind };
    },
    hangUp() {
      for (const client of clients) client.destroy();
    },
  };
}
