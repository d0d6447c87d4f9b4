import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { onTestFinished } from "vitest";
import { listen, type Listening } from "../../conformance/faults/listening.ts";
import { OutcomeUnknownError, TargetUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeWebhook, type WebhookOptions } from "../../shared/rotators/webhook/webhook.ts";
import { localCertificate } from "../doubles/certificate.ts";
import { admin, apply, optionsFor } from "../doubles/webhook-endpoint.ts";

export const rotator = makeWebhook();
export const next = { account: "app", secret: new Secret("N3w~secret-of-the-account") };

/** Every operation, aimed at these options. */
export function operationsAt(options: WebhookOptions, signal = AbortSignal.timeout(20_000)) {
  const using = { as: "admin", credential: admin } as const;
  const { account } = next;
  return {
    apply: () => apply(rotator, { options, next, using }, signal),
    retire: async () => rotator.retire?.({ options, account, using }, signal),
    examine: async () => rotator.examine?.({ options, account, using, isProven: false }, signal),
    verify: () => rotator.verify({ options, credential: next, admin }, signal),
    hasSessions: async () => rotator.hasSessions?.({ options, account, using }, signal),
  };
}

export const names = ["apply", "retire", "examine", "verify", "hasSessions"] as const;
export type Name = (typeof names)[number];
const isChange = (name: Name) => name === "apply" || name === "retire";
export const unclear = (name: Name) =>
  isChange(name) ? OutcomeUnknownError : TargetUnavailableError;

/** A server on this machine until the test ends. */
export async function startServer(respond: RequestListener): Promise<Listening> {
  const certificate = await localCertificate();
  const listening = await listen(createServer({ ...certificate }, respond));
  onTestFinished(() => listening.close());
  return listening;
}

/** Every operation, aimed at a server that responds like this. */
export async function operationsOf(caFile: string, respond: RequestListener) {
  const { port } = await startServer(respond);
  return operationsAt(optionsFor(port, caFile));
}

export type Responder = (response: ServerResponse, request: IncomingMessage) => void;

export const json =
  (status: number, content: unknown): Responder =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
    response.end(JSON.stringify(content));
  };
export const status =
  (code: number, headers: Record<string, string> = {}): Responder =>
  (response) => {
    response.writeHead(code, headers);
    response.end("<html>from a gateway</html>");
  };
