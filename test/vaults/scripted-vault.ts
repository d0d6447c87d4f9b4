import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "../../conformance/faults/listening.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly token: string | undefined;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Sent unchanged, instead of `json`. */
  readonly text?: string;
}

/** `hang` never answers; `reset` resets the connection. */
export type Script = (request: SeenRequest) => Answer | "hang" | "reset" | Promise<Answer>;

export interface ScriptedVault {
  readonly url: string;
  readonly requests: SeenRequest[];
  /** Requests without a token are challenged unless the script is `lax`. */
  script: Script;
  lax: boolean;
  close(): Promise<void>;
}

const challenge =
  'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"';

/** Sends the answers of the test, and remembers the requests with their bodies. */
export async function startScriptedVault(script: Script): Promise<ScriptedVault> {
  const requests: SeenRequest[] = [];

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = {
      method: request.method ?? "",
      path: request.url ?? "",
      token: request.headers.authorization?.replace("Bearer ", ""),
      body: await text(request),
    };
    requests.push(seen);
    const answer =
      seen.token === undefined && !vault.lax
        ? { status: 401, headers: { "www-authenticate": challenge } }
        : await vault.script(seen);
    if (answer === "reset") response.destroy();
    if (typeof answer === "string") return;
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(answer.text ?? JSON.stringify(answer.json ?? {}));
  }

  const listening = await listen(
    createServer((request, response) => {
      respond(request, response).catch(() => response.destroy());
    }),
  );
  const vault: ScriptedVault = {
    url: `http://127.0.0.1:${listening.port}`,
    requests,
    script,
    lax: false,
    close: () => listening.close(),
  };
  return vault;
}

/** An answer in the form of Key Vault. */
export function refusal(status: number, code: string, innerCode?: string): Answer {
  const innererror = innerCode === undefined ? {} : { innererror: { code: innerCode } };
  return {
    status,
    headers: { "x-ms-request-id": "0f8fad5b-d9cb-469f-a165-70867728950e" },
    json: { error: { code, message: "Caller: appid=…", ...innererror } },
  };
}

/** An answer of a gateway, a captive portal or another server instead of Key Vault. */
export function htmlPage(status: number): Answer {
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8" },
    text: "<html><body>Not here.</body></html>",
  };
}

/** A secret as Key Vault returns it. */
export function bundle(path: string, rest: Readonly<Record<string, unknown>> = {}): Answer {
  const name = path.split("/")[2]?.split("?")[0] ?? "";
  return {
    status: 200,
    json: {
      id: `https://kv.vault.azure.net/secrets/${name}/${"0123456789abcdef".repeat(2)}`,
      value: "stored",
      attributes: { enabled: true, created: 1_767_225_600, updated: 1_767_225_600 },
      ...rest,
    },
  };
}
