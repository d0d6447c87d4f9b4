import { randomBytes } from "node:crypto";
import type { GraphApplication } from "./application.ts";
import type { GraphAnswer } from "./errors.ts";

/** The token endpoint of Entra: it has servers of its own, which learn of a new secret one after the other. */
export interface LogInState {
  readonly applications: readonly GraphApplication[];
  readonly tenant: string;
  /** The only resource for which the double gives tokens. */
  readonly scope: string;
  readonly now: () => number;
  /** Milliseconds until the slowest of two servers knows a new secret. The other one needs half of it. */
  propagation: number;
  /** Conditional Access gives no tokens to this address. */
  blocksAddress: boolean;
  turn: number;
  /** Every token that it has issued. */
  readonly issued: Set<string>;
}

export interface LogInCall {
  readonly method: string;
  readonly url: URL;
  readonly contentType: string;
  readonly body: string;
}

export const logInErrors = {
  invalidSecret: [7_000_215, 401, "invalid_client"],
  expired: [7_000_222, 401, "invalid_client"],
  noSecret: [7_000_218, 401, "invalid_client"],
  notInTenant: [700_016, 400, "unauthorized_client"],
  disabled: [7_000_112, 401, "unauthorized_client"],
  noTenant: [90_002, 400, "invalid_request"],
  conditional: [53_003, 400, "access_denied"],
  badScope: [70_011, 400, "invalid_scope"],
  malformed: [900_144, 400, "invalid_request"],
  busy: [90_033, 503, "temporarily_unavailable"],
  tooMany: [90_055, 429, "invalid_request"],
} as const satisfies Record<string, readonly [number, number, string]>;

export type LogInError = keyof typeof logInErrors;

export function refuseLogIn(name: LogInError, said = ""): GraphAnswer {
  const [number, status, error] = logInErrors[name];
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${String(number)}: the log-in was refused. ${said}Trace ID: 1 Correlation ID: 2 Timestamp: 2026-01-01 00:00:00Z`,
      error_codes: [number],
      timestamp: "2026-01-01 00:00:00Z",
      trace_id: "1",
      correlation_id: "2",
      error_uri: `https://login.microsoftonline.com/error?code=${String(number)}`,
    },
  };
}

export function answerLogIn(state: LogInState, call: LogInCall): GraphAnswer {
  const match = /^\/(?<tenant>[^/]+)\/oauth2\/v2\.0\/token$/.exec(call.url.pathname);
  const form = new URLSearchParams(call.body);
  const isForm = call.contentType === "application/x-www-form-urlencoded";
  if (call.method !== "POST" || !match || !isForm) return refuseLogIn("malformed");
  if (match.groups?.["tenant"] !== state.tenant) return refuseLogIn("noTenant");
  if (form.get("grant_type") !== "client_credentials") return refuseLogIn("malformed");
  const found = state.applications.find(({ appId }) => appId === form.get("client_id"));
  if (!found || found.isDeleted || found.accountEnabled === undefined) {
    return refuseLogIn("notInTenant");
  }
  const text = form.get("client_secret");
  if (text === null) return refuseLogIn("noSecret");
  if (form.get("scope") !== state.scope) return refuseLogIn("badScope");
  return answerSecret(state, found, text);
}

function answerSecret(state: LogInState, found: GraphApplication, text: string): GraphAnswer {
  const delay = state.turn++ % 2 === 0 ? state.propagation : state.propagation / 2;
  const now = state.now();
  const secret = found.secrets.find((one) => one.text === text && now - one.addedAt >= delay);
  if (!secret) return refuseLogIn("invalidSecret");
  if (secret.end <= now) return refuseLogIn("expired");
  if (!found.accountEnabled || found.disabledByMicrosoftStatus !== null) {
    return refuseLogIn("disabled");
  }
  if (state.blocksAddress) return refuseLogIn("conditional");
  return {
    status: 200,
    body: {
      token_type: "Bearer",
      expires_in: 3599,
      ext_expires_in: 3599,
      access_token: issueToken(state),
    },
  };
}

function issueToken({ issued }: LogInState): string {
  const token = randomBytes(48).toString("base64url");
  issued.add(token);
  return token;
}
