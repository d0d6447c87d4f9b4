import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { text } from "node:stream/consumers";
import { type Connections, listen } from "../../../conformance/faults/listening.ts";
import type { Certificate } from "../../certificate.ts";
import { faultPoints, type Faults } from "../../faults.ts";
import { type ArmCredential, type ArmRole, gate } from "./credentials.ts";
import type { ArmRefusal } from "./errors.ts";
import { operationTable } from "./operations.ts";
import { answerRequest, listAllActions } from "./requests.ts";
import type { ArmEffect, ArmResource, ArmState, Permission } from "./state.ts";

export interface ArmDoubleOptions {
  readonly tls: Pick<Certificate, "cert" | "key">;
  /** Default: 0, a free port. */
  readonly port?: number;
  readonly resources: readonly ArmResource[];
  /** Whether the owner of the token may do what a contributor may. `audience`: the endpoint of the double. */
  readonly acceptsToken?: (token: string, audience: string) => boolean;
  /** Called with each request when its answer is known. */
  readonly onRequest?: (request: SeenRequest) => void;
  /** Default `00000000-0000-0000-0000-000000000042`. */
  readonly subscriptionId?: string;
  /** When a new password takes effect: with the 202 (default), or when its operation succeeds. */
  readonly effectAt?: "acceptance" | "completion";
  /** Where an accepted change says how it goes: with both headers (default), or in `Location` only. */
  readonly headers?: "both" | "location";
  /** The number of requests about the resource before an operation ends. Default 1: one poll answers InProgress. */
  readonly ticks?: number;
  /** Seconds in `Retry-After` of operations. Default 0, so that tests are fast; the platform says 1 to 15. */
  readonly retryAfter?: number;
  /** The reported permissions of the caller. Default: the permissions of its role. */
  readonly permissions?: readonly Permission[];
  readonly hostile?: boolean;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly apiVersion: string | null;
  /** The JSON that was sent. */
  readonly body: unknown;
  /** Absent when the client got no answer. */
  readonly status?: number;
}

export interface ArmDouble {
  /** `https://localhost:<port>`: the client's `endpoint`. */
  readonly endpoint: string;
  readonly subscriptionId: string;
  readonly faults: Faults<ArmEffect, ArmRefusal>;
  readonly inspection: {
    readonly connections: Connections;
    /** How many passwords took effect on this resource. */
    landed(resource: string): number;
    isBusy(resource: string): boolean;
  };
  credential(role?: ArmRole): ArmCredential;
  /** Accepts a token that somebody else has issued, as one of this role. */
  admit(token: string, role: ArmRole): void;
  /** Deletes a resource. */
  remove(resource: string): void;
  /** Ends every operation that can end now. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** A double of Azure Resource Manager for the services in services.ts, on this machine and with TLS. */
export async function startArmDouble(options: ArmDoubleOptions): Promise<ArmDouble> {
  const { tls, port, acceptsToken, onRequest = () => undefined } = options;
  let endpoint = "";
  const state: ArmState = {
    subscriptionId: options.subscriptionId ?? "00000000-0000-0000-0000-000000000042",
    resources: [...options.resources],
    gate: gate(listAllActions(), (token) => acceptsToken?.(token, endpoint) === true),
    operations: operationTable(),
    faults: faultPoints<ArmEffect, ArmRefusal>(options.hostile),
    effectAt: options.effectAt ?? "acceptance",
    headers: options.headers ?? "both",
    ticks: options.ticks ?? 1,
    permissions: options.permissions,
    retryAfter: options.retryAfter ?? 0,
    landed: new Map(),
  };
  const server = createServer(tls, (request, response) => {
    handle(state, onRequest, request, response).catch(() => request.socket.destroy());
  });
  const listening = await listen(server, port);
  endpoint = `https://localhost:${String(listening.port)}`;
  return {
    endpoint,
    subscriptionId: state.subscriptionId,
    faults: state.faults,
    inspection: {
      connections: listening.connections,
      landed: (resource) => state.landed.get(resource) ?? 0,
      isBusy: (resource) => state.operations.isBusy(resource),
    },
    credential: (role = "contributor") => state.gate.credential(role),
    admit: (token, role) => {
      state.gate.admit(token, role);
    },
    remove(resource) {
      const at = state.resources.findIndex(({ name }) => name === resource);
      state.resources.splice(at, 1);
    },
    settle: () => state.operations.settle(),
    async close() {
      state.faults.release();
      await listening.close();
    },
  };
}

async function handle(
  state: ArmState,
  onRequest: (request: SeenRequest) => void,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "", url = "/", headers } = request;
  const parsed = new URL(url, `https://${headers.host ?? "localhost"}`);
  const body = await text(request);
  const { authorization } = headers;
  const outcome = await answerRequest(state, { method, url: parsed, authorization, body });
  const { pathname, searchParams } = parsed;
  const apiVersion = searchParams.get("api-version");
  const sent: unknown = body === "" ? undefined : JSON.parse(body);
  const seen = { method, path: pathname, apiVersion, body: sent };
  if (outcome.kind !== "answer") {
    onRequest(seen);
    if (outcome.kind === "reset") request.socket.destroy();
    return;
  }
  const { answer } = outcome;
  onRequest({ ...seen, status: answer.status });
  response.writeHead(answer.status, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-cache",
    ...answer.headers,
  });
  response.end(answer.page ?? (answer.body && JSON.stringify(answer.body)));
}
