import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { listen, reset } from "./listening.ts";

/**
 * - `lost`: what set it off does not reach the server.
 * - `carried-out`: the server has answered it, and the answer does not reach the client.
 * - `unanswered`: like carried-out, but the line stays open and silent.
 */
export type CutKind = "lost" | "carried-out" | "unanswered";

/** Who sends the part of a conversation at which the line is lost. */
export type Side = "client" | "server";

export interface CutProxy {
  readonly port: number;
  /** The line is cut the next time that a client sends this text. */
  cutAt(text: string, kind: CutKind): void;
  /**
   * From now on, each line is lost when this side has sent so many parts before: the next part does not arrive. Parts are what arrives
   * at once, so this works for TLS too.
   */
  loseAt(side: Side, after: number): void;
  /** From now on, each answer of the server takes so many milliseconds longer. */
  delay(milliseconds: number): void;
  /** Ends what `loseAt` and `delay` began, and returns whether a line was lost. Lines that are open stay slow. */
  steady(): boolean;
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
  let losing: { readonly side: Side; readonly after: number; isLost: boolean } | undefined;
  let delayMs = 0;
  let armed: { readonly text: string; readonly kind: CutKind } | undefined;

  /** Returns a function that a side of a connection calls with each part, and that says whether the line is lost there. */
  function countParts(side: Side): () => boolean {
    let parts = 0;
    return () => {
      const isLost = losing?.side === side && parts >= losing.after;
      if (isLost && losing) losing.isLost = true;
      parts += 1;
      return isLost;
    };
  }

  function join(client: Socket, server: Socket): void {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    let answering: CutKind | undefined;
    const [isLostOfClient, isLostOfServer] = [countParts("client"), countParts("server")];
    const lateMs = delayMs;
    const later = (pass: () => void) => {
      if (lateMs === 0) pass();
      else setTimeout(pass, lateMs).unref();
    };
    const lose = () => {
      server.destroy();
      reset(client);
    };
    server.on("error", () => client.destroy());
    server.on("close", () => {
      later(() => client.destroy());
    });
    client.on("close", () => server.destroy());
    client.on("data", (sent) => {
      if (isLostOfClient()) {
        lose();
        return;
      }
      if (armed !== undefined && sent.includes(armed.text)) {
        answering = armed.kind;
        armed = undefined;
        if (answering === "lost") {
          lose();
          return;
        }
      }
      server.write(sent);
    });
    server.on("data", (answer) => {
      if (answering === undefined && isLostOfServer()) lose();
      else if (answering === undefined)
        later(() => {
          if (client.writable) client.write(answer);
        });
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
    loseAt(side, after) {
      losing = { side, after, isLost: false };
    },
    delay(milliseconds) {
      delayMs = milliseconds;
    },
    steady() {
      const isLost = losing?.isLost ?? false;
      losing = undefined;
      delayMs = 0;
      return isLost;
    },
    hangUp() {
      for (const client of clients) client.destroy();
    },
  };
}
