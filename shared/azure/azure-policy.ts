import { Agent } from "node:https";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { isLoopback } from "../core/secrets/addresses.ts";

/** Who is called, and whom to trust there. */
export interface AzurePlace {
  /** One that addresses.ts names. */
  readonly origin: string;
  /** The PEM of an authority to trust instead of the well-known ones. For tests with a double on this machine. */
  readonly ca?: string;
  /** Milliseconds within which a connection must be open, except one through a proxy. Absent: only the signal limits it. */
  readonly connectWithin?: number;
}

/** What is known about one request. */
export interface Sending {
  /** It was handed to the network. */
  started: boolean;
  /** The status of the answer to it. */
  status: number | undefined;
  /** As `AzureRequest.isInTime`. */
  readonly isInTime?: () => boolean;
  /** It was not sent, because it was no longer in time. */
  isTooLate?: true;
}

/**
 * The last policy before the network, also for clients of the SDKs: no request leaves for another origin, so no token does; every
 * certificate is verified, whatever the environment says; no proxy is used on this machine; the connection ends with the request.
 * `watch` notes requests that change something, so all but GET.
 */
export function makeSafePolicy(
  { origin, ca, connectWithin }: AzurePlace,
  watch: Sending,
): PipelinePolicy {
  // The agents of the clients are shared, and keep their connections open.
  const agent = new Agent({ keepAlive: false, rejectUnauthorized: true, ...(ca && { ca }) });
  if (connectWithin !== undefined) limitConnecting(agent, connectWithin);
  const isLocal = isLoopback(new URL(origin));
  return {
    name: "keyturnSafePolicy",
    async sendRequest(request, next) {
      if (URL.parse(request.url)?.origin !== origin) {
        throw new Error("not sent, because the address is not that of the service");
      }
      if (isLocal) request.agent = agent;
      else request.agent ??= agent;
      request.requestOverrides = { ...request.requestOverrides, rejectUnauthorized: true };
      if (request.method === "GET") return next(request);
      if (watch.isInTime?.() === false) {
        watch.isTooLate = true;
        throw new Error("not sent, because it was no longer in time");
      }
      watch.started = true;
      const response = await next(request);
      watch.status = response.status;
      return response;
    },
  };
}

function limitConnecting(agent: Agent, within: number): void {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...args) => {
    const socket = connect(...args);
    const timer = setTimeout(() => {
      const code = "ETIMEDOUT";
      socket?.destroy(Object.assign(new Error(`connecting timed out after ${within}ms`), { code }));
    }, within);
    for (const over of ["secureConnect", "close"]) {
      socket?.once(over, () => {
        clearTimeout(timer);
      });
    }
    return socket;
  };
}
