import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { text } from "node:stream/consumers";
import { listen, type Listening } from "../../conformance/faults/listening.ts";
import type { Certificate } from "../certificate.ts";

export interface PlaneAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

/** One request that the service has, as its REST reference describes it. */
export interface PlaneRoute {
  readonly method: string;
  readonly path: RegExp;
  /** The parameters that it demands. It ignores others. */
  readonly query?: Readonly<Record<string, RegExp>>;
}

/** A request to the service. */
interface PlaneRequest {
  readonly url: URL;
  readonly header: (name: string) => string;
  /** The name of the resource. */
  readonly name: string;
  readonly body: string;
}

/** A key with its id, which only one service has. */
export interface PlaneKey {
  readonly value: string;
  readonly id: string;
}

/** What a service can be asked, and how it recognises its keys. */
export interface PlaneBehaviour {
  /** Everything else is not found, whatever the key. */
  readonly routes: readonly PlaneRoute[];
  readonly accepted: PlaneAnswer;
  readonly refused: PlaneAnswer;
  readonly has: (request: PlaneRequest, key: PlaneKey) => boolean;
}

export interface KeyPlaneOptions {
  readonly tls: Pick<Certificate, "cert" | "key">;
  /** Default: 0, a free port. */
  readonly port?: number;
  /** The name of the resource. */
  readonly name: string;
  readonly behaviour: PlaneBehaviour;
  /** The keys that are valid now. */
  readonly listKeys: () => readonly PlaneKey[];
  /** Called with each request. Its answer, if it has one, is sent whatever the key. */
  readonly before?: (request: IncomingMessage) => PlaneAnswer | undefined;
  /** What is sent instead of a refusal. */
  readonly worsen?: (refused: PlaneAnswer, request: IncomingMessage) => PlaneAnswer;
}

export interface KeyPlane extends Listening {
  readonly origin: string;
}

/** Serves what one resource answers to its clients, as far as a proof of its keys needs it. */
export async function startKeyPlane(options: KeyPlaneOptions): Promise<KeyPlane> {
  const server = createServer(options.tls, (request, response) => {
    answer(request, options)
      .then(({ status, headers, text: content }) => {
        response.writeHead(status, headers);
        response.end(request.method === "HEAD" ? undefined : content);
      })
      .catch(() => request.socket.destroy());
  });
  const listening = await listen(server, options.port);
  return { ...listening, origin: `https://localhost:${listening.port}` };
}

async function answer(
  request: IncomingMessage,
  { name, behaviour, listKeys, before, worsen = (refused) => refused }: KeyPlaneOptions,
): Promise<PlaneAnswer> {
  const given = before?.(request);
  const body = await text(request);
  if (given !== undefined) return given;
  const header = (one: string) => [request.headers[one] ?? ""].flat().join();
  const url = new URL(request.url ?? "/", `https://${header("host")}`);
  if (!behaviour.routes.some((route) => isFor(route, request.method, url))) return noSuchRoute;
  const isKnown = listKeys().some((key) => behaviour.has({ url, header, name, body }, key));
  return isKnown ? behaviour.accepted : worsen(behaviour.refused, request);
}

const noSuchRoute: PlaneAnswer = { status: 404, text: "There is no such request." };

const isFor = ({ method, path, query = {} }: PlaneRoute, sent: string | undefined, url: URL) =>
  method === sent &&
  path.test(url.pathname) &&
  Object.entries(query).every(([name, value]) => value.test(url.searchParams.get(name) ?? ""));

export const unauthorized: PlaneAnswer = {
  status: 401,
  headers: { "content-type": "application/json" },
  text: JSON.stringify({ error: { code: "401", message: "Access denied due to invalid key." } }),
};

export const inHeader =
  (name: string): PlaneBehaviour["has"] =>
  ({ header }, { value }) =>
    header(name) === value;

/** Azure OpenAI and the other AI services: a list without models, or a token. */
export const cognitivePlane: PlaneBehaviour = {
  routes: [
    // The versions that are no previews.
    {
      method: "GET",
      path: /^\/openai\/models$/,
      query: { "api-version": /^(?:2023-05-15|2024-0[26]-01|2024-10-21)$/ },
    },
    { method: "POST", path: /^\/sts\/v1\.0\/issueToken$/ },
  ],
  accepted: {
    status: 200,
    headers: { "content-type": "application/json" },
    text: JSON.stringify({ object: "list", data: [] }),
  },
  refused: unauthorized,
  has: (request, key) =>
    inHeader(request.url.pathname.startsWith("/sts/") ? "ocp-apim-subscription-key" : "api-key")(
      request,
      key,
    ),
};
