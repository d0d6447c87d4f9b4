import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { text } from "node:stream/consumers";
import { type Connections, listen } from "../../conformance/faults/listening.ts";
import type { AzureAccess } from "../../shared/azure/azure-call.ts";
import { localCertificate } from "../doubles/certificate.ts";

export interface Scripted {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object | string;
  /** Instead of an answer: the connection is reset, or nothing happens. */
  readonly instead?: "reset" | "silence";
}

export interface SeenByAzure {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface ScriptedAzure {
  readonly access: AzureAccess;
  readonly ca: string;
  readonly seen: readonly SeenByAzure[];
  /** How often a token was requested, and for which scopes. */
  readonly scopes: readonly string[];
  readonly connections: Connections;
  close(): Promise<void>;
}

export const token = "t0ken-of-the-identity";

/** A service on this machine that gives these answers in this order, the last one again and again. */
export async function startScripted(...answers: readonly Scripted[]): Promise<ScriptedAzure> {
  const { key, cert } = await localCertificate();
  const seen: SeenByAzure[] = [];
  const scopes: string[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    void text(request).then((body) => {
      const { method = "", url = "", headers } = request;
      const answer = answers[Math.min(seen.length, answers.length - 1)] ?? {};
      seen.push({ method, url, headers, body });
      if (answer.instead === "reset") request.socket.destroy();
      if (answer.instead !== undefined) return;
      response.writeHead(answer.status ?? 200, answer.headers);
      const content = answer.body ?? "";
      response.end(typeof content === "string" ? content : JSON.stringify(content));
    });
  });
  const listening = await listen(server);
  return {
    access: {
      origin: `https://localhost:${listening.port}`,
      ca: cert,
      pollInterval: 1,
      credential: {
        getToken: (scope) => {
          scopes.push(String(scope));
          return Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 });
        },
      },
    },
    ca: cert,
    seen,
    scopes,
    connections: listening.connections,
    close: () => listening.close(),
  };
}
