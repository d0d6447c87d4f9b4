import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { Certificate } from "./certificate.ts";
import { listen, reset } from "./listening.ts";

/**
 * - `lost`: what set it off does not reach the server.
 * - `carried-out`: the server has answered it, and the answer does not reach the client.
 * - `unanswered`: like carried-out, but the line stays open and silent.
 */
export type CutKind = "lost" | "carried-out" | "unanswered";

/** The server's certificate may be for another name than that of the way through the proxy. */
const anyName = { checkServerIdentity: () => undefined };

export interface CutProxy {
  readonly port: number;
  /** The line is cut the next time that a client sends this text. */
  cutAt(text: string, kind: CutKind): void;
  /** Ends every open connection. */
  hangUp(): void;
  close(): Promise<void>;
}

/** Both sides speak TLS from the first byte. */
export interface CutTls {
  /** That of the proxy. */
  readonly certificate: Certificate;
  /** PEM of the authority that signed the server's certificate. */
  readonly serverCa: string;
}

/**
 * Forwards connections to a port of 127.0.0.1, and cuts them in the middle. Without `tls`, TLS passes through, and then no text can set
 * off a cut.
 */
export async function cutProxy(
  serverPort: number,
  onSilence: () => void = () => undefined,
  tls?: CutTls,
): Promise<CutProxy> {
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

  const listening = await listen(
    tls === undefined
      ? createServer((client) => {
          join(client, connect(serverPort, "127.0.0.1"));
        })
      : createTlsServer(tls.certificate, (client) => {
          join(
            client,
            connectTls({ port: serverPort, host: "127.0.0.1", ca: tls.serverCa, ...anyName }),
          );
        }),
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
