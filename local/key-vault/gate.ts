import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoopbackAnswer, LoopbackReply, LoopbackRequest } from "../loopback.ts";
import { checkApiVersion } from "./emulator-limits.ts";
import type { FaultPoints, Refusal } from "./faults.ts";
import type { Throttle } from "./throttle.ts";
import type { VaultContext } from "./vault-call.ts";
import {
  forbiddenByRbac,
  nameIsTaken,
  secretDisabled,
  secretNotFound,
  toErrorBody,
  VaultError,
} from "./vault-error.ts";
import { OPERATIONS } from "./vault-operations.ts";
import { findRoute, type Route } from "./vault-routes.ts";

/** The resource in a token request for any vault. */
export const VAULT_RESOURCE = "https://vault.azure.net";

export interface Gate {
  readonly vault: VaultContext;
  readonly throttle: Throttle;
  readonly faults: FaultPoints;
  readonly region: string;
  readonly tenantId: string;
  acceptsToken(token: string): boolean;
  /** Milliseconds. */
  now(): number;
}

/** Checks the token, the path, the version, the limits and the faults in this order, and then runs the operation. */
export async function answerRequest(
  gate: Gate,
  request: LoopbackRequest,
  closing: AbortSignal,
): Promise<LoopbackAnswer> {
  const answer = await attempt(gate, request, closing);
  if (answer === "hang-up" || isForeign(answer)) return answer;
  return {
    ...answer,
    headers: {
      "x-ms-request-id": randomUUID(),
      "x-ms-keyvault-region": gate.region,
      "x-ms-keyvault-service-version": "2.0.0.0",
      "cache-control": "no-cache",
      ...answer.headers,
    },
  };
}

/** Whether a gateway answers: it does not answer JSON and does not set the headers of the vault. */
const isForeign = (answer: LoopbackReply): boolean => answer.text !== undefined;

async function attempt(
  gate: Gate,
  request: LoopbackRequest,
  closing: AbortSignal,
): Promise<LoopbackAnswer> {
  try {
    checkToken(gate, request);
    const route = findRoute(request.method, request.path);
    checkApiVersion(request.query);
    checkRate(gate, route);
    return await performWithFaults(gate, request, route, closing);
  } catch (error) {
    const refusal =
      error instanceof VaultError
        ? error
        : new VaultError(500, "InternalServerError", "The vault could not do this.");
    return { status: refusal.status, headers: refusal.headers, json: toErrorBody(refusal) };
  }
}

function checkToken(gate: Gate, request: LoopbackRequest): void {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (token !== undefined && gate.acceptsToken(token)) return;
  const message =
    token === undefined
      ? "AKV10000: Request is missing a Bearer or PoP token."
      : "AKV10022: The token is not valid for this vault.";
  const authority = `https://login.microsoftonline.com/${gate.tenantId}`;
  throw new VaultError(401, "Unauthorized", message, {
    headers: {
      "www-authenticate": `Bearer authorization="${authority}", resource="${VAULT_RESOURCE}"`,
    },
  });
}

function checkRate(gate: Gate, route: Route): void {
  const kind = route.operation === "set-secret" ? "create" : "other";
  const wait = gate.throttle.refuse(kind, gate.now());
  if (wait !== undefined) throw throttled(wait);
}

const throttled = (wait: number | undefined): VaultError =>
  new VaultError(429, "Throttled", "Request was not processed because too many were received.", {
    headers: retryAfter(wait),
  });

const retryAfter = (seconds: number | undefined): Record<string, string> =>
  seconds === undefined ? {} : { "retry-after": String(seconds) };

async function performWithFaults(
  gate: Gate,
  request: LoopbackRequest,
  route: Route,
  closing: AbortSignal,
): Promise<LoopbackAnswer> {
  const fault = gate.faults.hit({ method: request.method, path: request.path, ...route });
  switch (fault?.kind) {
    case undefined:
      return perform(gate, request, route);
    case "reset-before-effect":
      return "hang-up";
    case "lost-reply-after-effect":
      await perform(gate, request, route);
      return "hang-up";
    case "latency":
      await sleep(fault.ms, undefined, { signal: closing });
      return perform(gate, request, route);
    case "meanwhile":
      await fault.act();
      return perform(gate, request, route);
    case "foreign-answer":
      return foreignAnswer(fault.status);
    case "refusal":
      throw checkRequest(fault.reason, route);
    case "status":
      if (fault.status === 429) throw throttled(fault.retryAfter);
      throw new VaultError(fault.status, "InternalServerError", "The vault is not well.", {
        headers: retryAfter(fault.retryAfter),
      });
  }
}

const foreignAnswer = (status: number): LoopbackReply => ({
  status,
  headers: { "content-type": "text/html; charset=utf-8" },
  text: `<!DOCTYPE html><title>${String(status)}</title><h1>The gateway answers ${String(status)}</h1>\n`,
});

function checkRequest(reason: Refusal, { name = "", version }: Route): VaultError {
  switch (reason) {
    case "forbidden":
      return forbiddenByRbac();
    case "absent":
      return secretNotFound(name, version);
    case "disabled":
      return secretDisabled();
    case "deleted":
      return nameIsTaken(name, "deleted");
    case "being-deleted":
      return nameIsTaken(name, "deleting");
    case "being-recovered":
      return nameIsTaken(name, "recovering");
  }
}

async function perform(gate: Gate, request: LoopbackRequest, route: Route): Promise<LoopbackReply> {
  return OPERATIONS[route.operation](gate.vault, {
    name: route.name ?? "",
    version: route.version,
    query: request.query,
    body: request.body,
    now: gate.now(),
  });
}
