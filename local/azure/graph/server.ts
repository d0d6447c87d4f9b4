import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { text } from "node:stream/consumers";
import type { TokenCredential } from "@azure/identity";
import { type Connections, listen, type Listening } from "../../../conformance/faults/listening.ts";
import type { Certificate } from "../../certificate.ts";
import { faultPoints, type Faults, type FaultyServer, type Outcome } from "../../faults.ts";
import {
  forget,
  type GraphApplication,
  type Keeping,
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
  type Route,
  routes,
} from "./routes.ts";

export interface GraphDoubleOptions extends Keeping {
  readonly tls: Pick<Certificate, "cert" | "key">;
  /** Default: free ports. */
  readonly ports?: { readonly graph: number; readonly logIn: number };
  /** Whether the owner of the token may do what an owner of the application may. `audience`: the origin of the double of Graph. */
  readonly acceptsToken?: (token: string, audience: string) => boolean;
  /** Called with each request to Graph. */
  readonly onRequest?: (request: SeenRequest) => void;
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
  readonly tenant: string;
  readonly application: GraphApplication;
  readonly directory: Directory;
  readonly logIns: LogInState;
  readonly faults: Faults<GraphEffect | "log-in", GraphRefusal & { readonly error: LogInError }>;
  readonly connections: readonly Connections[];
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

type GraphFaults = FaultyServer<
  GraphEffect | "log-in",
  GraphRefusal & { readonly error: LogInError }
>;

/** A double of Microsoft Graph for the secrets of one application, and of the token endpoint of its tenant. */
export async function startGraphDouble(options: GraphDoubleOptions): Promise<GraphDouble> {
  const { ports, acceptsToken, onRequest } = options;
  const { now = Date.now, servers = 1, lag = 0, propagation = 0, hostile } = options;
  const application = makeApplication(servers, options);
  const directory: Directory = {
    applications: [application],
    ...{ lag, now },
    tenantRules: { id: "default", displayName: "rules", isEnabled: false },
  };
  const tenant = "7d6b3f5e-4e0b-4b6a-8c1d-2f3a4b5c6d7e";
  const faults: GraphFaults = faultPoints(hostile);
  const roles = new Map<string, GraphRole>();
  let origin = "";
  const findRole = (token: string): GraphRole | undefined =>
    roles.get(token) ?? (acceptsToken?.(token, origin) === true ? "owner" : undefined);
  const serve = { ...{ directory, faults, findRole }, ...(onRequest && { onRequest }) };
  const graph = await listen(serveGraph(options.tls, serve), ports?.graph);
  origin = toOrigin(graph);
  const logIns: LogInState = {
    applications: directory.applications,
    scope: `${origin}/.default`,
    ...{ tenant, now, propagation },
    blocksAddress: false,
    turn: 0,
    issued: new Set(),
  };
  const logIn = await listen(serveLogIns(options.tls, logIns, faults), ports?.logIn);
  return {
    graph: origin,
    logIn: toOrigin(logIn),
    ...{ tenant, application, directory, logIns, faults },
    connections: [graph.connections, logIn.connections],
    credential: (role = "owner") => makeCredential(roles, role),
    admit: (token, role) => void roles.set(token, role),
    put: ({ name, text: given, hint, end = now() + year } = {}) =>
      put(application, 0, {
        ...(name !== undefined && { displayName: name }),
        ...(given !== undefined && { text: given }),
        ...(hint !== undefined && { hint }),
        ...{ end, start: now(), now: now() - propagation },
      }),
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

const toOrigin = ({ port }: Listening): string => `https://localhost:${String(port)}`;

function makeCredential(roles: Map<string, GraphRole>, role: GraphRole): TokenCredential {
  const token = randomBytes(24).toString("base64url");
  if (role !== "forged") roles.set(token, role);
  return {
    getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
}

interface Serving extends Pick<GraphDoubleOptions, "onRequest"> {
  readonly directory: Directory;
  readonly faults: GraphFaults;
  readonly findRole: (token: string) => GraphRole | undefined;
}

function serveGraph(tls: GraphDoubleOptions["tls"], serving: Serving): Server {
  const { directory, faults, findRole, onRequest } = serving;
  return createServer(tls, (request, response) => {
    const serve = (url: URL, body: string) => {
      const parsed: unknown = body === "" ? undefined : JSON.parse(body);
      const { method = "" } = request;
      onRequest?.({ method, path: `${url.pathname}${url.search}`, body: parsed });
      const { authorization = "" } = request.headers;
      const token = authorization.replace(/^Bearer /, "");
      return answerGraph(directory, faults, {
        ...{ method, url, body: parsed, token },
        role: findRole(token),
      });
    };
    answer(request, response, directory.now, serve);
  });
}

async function answerGraph(
  directory: Directory,
  faults: GraphFaults,
  call: GraphCall,
): Promise<Outcome<GraphAnswer>> {
  const route = routes.find(
    ({ method, path }) => method === call.method && path.test(call.url.pathname),
  );
  const spiteful = (refusal: GraphRefusal) =>
    errorAnswer(
      faults.hostile
        ? { ...refusal, message: `${refusal.message} ${call.token} ${JSON.stringify(call.body)}` }
        : refusal,
    );
  if (!route) {
    return { kind: "answer", answer: spiteful(graphErrors.badRequest("No such resource.")) };
  }
  const run = (): GraphAnswer => {
    try {
      return runRoute(route, directory, call);
    } catch (error) {
      if (error instanceof Refused) return spiteful(error.refusal);
      throw error;
    }
  };
  return faults.perform(route.effect, run, (refusal) =>
    spiteful({ ...graphErrors.internal, ...refusal }),
  );
}

function runRoute(route: Route, directory: Directory, call: GraphCall): GraphAnswer {
  if (call.role === undefined) throw new Refused(graphErrors.badToken);
  if (!route.roles.includes(call.role)) throw new Refused(graphErrors.noRights);
  const { searchParams, pathname } = call.url;
  const isAsked = Object.entries(route.query ?? {}).every(([name, value]) =>
    value.test(searchParams.get(name) ?? ""),
  );
  if (!isAsked) throw new Refused(graphErrors.badRequest("Invalid query."));
  return route.run(directory, call, route.path.exec(pathname)?.groups?.["key"] ?? "");
}

function serveLogIns(
  tls: GraphDoubleOptions["tls"],
  logIns: LogInState,
  faults: GraphFaults,
): Server {
  return createServer(tls, (request, response) => {
    const { method = "", headers } = request;
    const contentType = headers["content-type"] ?? "";
    const serve = (url: URL, body: string) =>
      faults.perform<GraphAnswer>(
        "log-in",
        () => answerLogIn(logIns, { method, url, contentType, body }),
        ({ error = "busy", page, status = 502 }) =>
          page === undefined
            ? refuseLogIn(error, faults.hostile ? `${body} ` : "")
            : { status, page },
      );
    answer(request, response, logIns.now, serve);
  });
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  now: () => number,
  serve: (url: URL, body: string) => Promise<Outcome<GraphAnswer>>,
): void {
  const run = async (): Promise<void> => {
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
