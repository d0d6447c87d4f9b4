import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { text } from "node:stream/consumers";
import type { TokenCredential } from "@azure/identity";
import { type Connections, listen } from "../../../conformance/faults/listening.ts";
import { noteUse } from "../../servers/report/uses.ts";
import { localCertificate } from "../certificate.ts";
import { faultPoints, type Faults, type Outcome } from "../faults.ts";
import {
  forget,
  type GraphApplication,
  makeApplication,
  put,
  type StoredSecret,
} from "./application.ts";
import {
  errorAnswer,
  type GraphAnswer,
  graphErrors,
  type GraphRefusal,
  Refused,
} from "./errors.ts";
import { answerLogIn, type LogInError, type LogInState, refuseLogIn } from "./log-in.ts";
import {
  type Directory,
  type GraphCall,
  type GraphEffect,
  type GraphRole,
  routes,
} from "./routes.ts";

export { graphErrors } from "./errors.ts";
export type { GraphApplication, StoredSecret } from "./application.ts";
export type { GraphRole } from "./routes.ts";

export interface GraphDoubleOptions {
  /** Milliseconds since 1970. Default: the time of this machine. */
  readonly now?: () => number;
  /** Servers that answer lists. Default 1. */
  readonly servers?: number;
  /** Lists until the next server knows a change. Default 0. */
  readonly lag?: number;
  /** Milliseconds until every server of the token endpoint knows a new secret. Default 0. */
  readonly propagation?: number;
  /** The double repeats what it was sent in its errors. */
  readonly hostile?: boolean;
}

export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: unknown;
}

export interface GraphDouble {
  /** `https://localhost:<port>` for both. */
  readonly graph: string;
  readonly logIn: string;
  /** PEM of the authority to trust. */
  readonly ca: string;
  readonly tenant: string;
  readonly application: GraphApplication;
  readonly directory: Directory;
  readonly logIns: LogInState;
  readonly faults: Faults<GraphEffect | "log-in", GraphRefusal & { readonly error: LogInError }>;
  readonly connections: readonly Connections[];
  /** The requests to Graph. */
  readonly requests: SeenRequest[];
  credential(role?: GraphRole): TokenCredential;
  /** Accepts a token that somebody else has issued, as one of this role. */
  admit(token: string, role: GraphRole): void;
  /** Puts a secret there as a person would, in the portal. */
  put(given?: { name?: string; text?: string; hint?: string | null; end?: number }): StoredSecret;
  /** Removes a secret, as a person would. */
  remove(keyId: string): void;
  /** Whether the application logs in with this secret on every server of the token endpoint. */
  accepts(text: string): boolean;
  close(): Promise<void>;
}

const year = 365 * 86_400_000;

/** A double of Microsoft Graph for the secrets of one application, and of the token endpoint of its tenant. */
export async function startGraphDouble(options: GraphDoubleOptions = {}): Promise<GraphDouble> {
  noteUse("graph", "double");
  const { now = Date.now, servers = 1, lag = 0, propagation = 0, hostile = false } = options;
  const { key, cert } = await localCertificate();
  const application = makeApplication(servers);
  const directory: Directory = {
    applications: [application],
    ...{ lag, now },
    tenantRules: { id: "default", displayName: "rules", isEnabled: false },
  };
  const tenant = "7d6b3f5e-4e0b-4b6a-8c1d-2f3a4b5c6d7e";
  const faults = faultPoints<GraphEffect | "log-in", GraphRefusal & { readonly error: LogInError }>(
    hostile,
  );
  const roles = new Map<string, GraphRole>();
  const requests: SeenRequest[] = [];

  async function answerGraph(call: GraphCall): Promise<Outcome<GraphAnswer>> {
    const route = routes.find(
      ({ method, path }) => method === call.method && path.test(call.url.pathname),
    );
    const spiteful = (refusal: GraphRefusal) =>
      errorAnswer(
        faults.hostile
          ? { ...refusal, message: `${refusal.message} ${call.token} ${JSON.stringify(call.body)}` }
          : refusal,
      );
    if (!route)
      return { kind: "answer", answer: spiteful(graphErrors.badRequest("No such resource.")) };
    const run = (): GraphAnswer => {
      try {
        if (call.role === undefined) throw new Refused(graphErrors.badToken);
        if (!route.roles.includes(call.role)) throw new Refused(graphErrors.noRights);
        const { searchParams } = call.url;
        const isAsked = Object.entries(route.query ?? {}).every(([name, value]) =>
          value.test(searchParams.get(name) ?? ""),
        );
        if (!isAsked) throw new Refused(graphErrors.badRequest("Invalid query."));
        const found = route.path.exec(call.url.pathname)?.groups?.["key"] ?? "";
        return route.run(directory, call, found);
      } catch (error) {
        if (error instanceof Refused) return spiteful(error.refusal);
        throw error;
      }
    };
    return faults.perform(route.effect, run, (refusal) =>
      spiteful({ ...graphErrors.internal, ...refusal }),
    );
  }

  const graph = await listen(
    createServer({ key, cert }, (request, response) => {
      const serve = async (url: URL, body: string) => {
        const parsed: unknown = body === "" ? undefined : JSON.parse(body);
        requests.push({
          method: request.method ?? "",
          path: `${url.pathname}${url.search}`,
          body: parsed,
        });
        const { authorization = "" } = request.headers;
        const token = authorization.replace(/^Bearer /, "");
        const role = roles.get(token);
        return answerGraph({ method: request.method ?? "", url, body: parsed, token, role });
      };
      answer(request, response, now, serve);
    }),
  );
  const logIns: LogInState = {
    applications: directory.applications,
    scope: `https://localhost:${String(graph.port)}/.default`,
    ...{ tenant, now, propagation },
    blocksAddress: false,
    turn: 0,
    issued: new Set(),
  };
  const logIn = await listen(
    createServer({ key, cert }, (request, response) => {
      const serve = (url: URL, body: string) =>
        faults.perform<GraphAnswer>(
          "log-in",
          () => {
            const contentType = request.headers["content-type"] ?? "";
            return answerLogIn(logIns, { method: request.method ?? "", url, contentType, body });
          },
          ({ error = "busy", page, status = 502 }) =>
            page === undefined
              ? refuseLogIn(error, faults.hostile ? `${body} ` : "")
              : { status, page },
        );
      answer(request, response, now, serve);
    }),
  );
  return {
    graph: `https://localhost:${String(graph.port)}`,
    logIn: `https://localhost:${String(logIn.port)}`,
    ca: cert,
    ...{ tenant, application, directory, logIns, faults, requests },
    connections: [graph.connections, logIn.connections],
    credential(role = "owner") {
      const token = randomBytes(24).toString("base64url");
      if (role !== "forged") roles.set(token, role);
      return {
        getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
      };
    },
    admit: (token, role) => void roles.set(token, role),
    put({ name, text: given, hint, end = now() + year } = {}) {
      return put(application, 0, {
        ...(name !== undefined && { displayName: name }),
        ...(given !== undefined && { text: given }),
        ...(hint !== undefined && { hint }),
        ...{ end, start: now(), now: now() - propagation },
      });
    },
    remove: (keyId) => {
      forget(application, 0, keyId);
    },
    accepts: (given) =>
      application.secrets.some(
        (one) => one.text === given && one.end > now() && now() - one.addedAt >= logIns.propagation,
      ),
    async close() {
      faults.release();
      await Promise.all([graph.close(), logIn.close()]);
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  now: () => number,
  serve: (url: URL, body: string) => Promise<Outcome<GraphAnswer>>,
): void {
  const run = async () => {
    const url = new URL(request.url ?? "/", `https://${request.headers.host ?? "localhost"}`);
    const outcome = await serve(url, await text(request));
    if (outcome.kind === "reset") request.socket.destroy();
    if (outcome.kind !== "answer") return;
    const { status, headers, body, page } = outcome.answer;
    response.writeHead(status, {
      "content-type": "application/json",
      date: new Date(now()).toUTCString(),
      ...headers,
    });
    response.end(page ?? (body && JSON.stringify(body)));
  };
  run().catch(() => request.socket.destroy());
}
