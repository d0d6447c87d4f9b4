import { type Route, type RouteName, routes } from "../../functions/http/routes.ts";
import { exitCodes, Failure } from "../exit-codes.ts";
import type { ApiAnswer, ApiRequest, EndpointName } from "./endpoints.ts";
import { type EventOptions, readRotationEvents } from "./events.ts";
import { explainAnswer, isType, notKeyturn, type RawAnswer } from "./problems.ts";
import { type Means, send } from "./send.ts";

export interface Client {
  /** Sends a request and returns the JSON of its answer. Throws Failure for any status but 2xx, and those in `accepted`. */
  call<Name extends EndpointName>(
    name: Name,
    request: ApiRequest<Name>,
    accepted?: readonly number[],
  ): Promise<ApiAnswer<Name>>;
  /** The events of a rotation, over one connection. Throws NoStreamError. */
  events(
    params: { readonly target: string; readonly rotation: string },
    options: EventOptions,
  ): ReturnType<typeof readRotationEvents>;
  /** Every page of a list, from the first one. */
  pages<Name extends ListName>(
    name: Name,
    request: ApiRequest<Name>,
  ): AsyncGenerator<ApiAnswer<Name>>;
  /** The plan as text or as a calendar. */
  text(name: "api-plan", query: PlanQuery, type: TextType): Promise<string>;
  /** Every part of an export, as text in JSON Lines. */
  texts(name: "api-audit", query: object): AsyncGenerator<string>;
}

type PlanQuery = ApiRequest<"api-plan">["query"];
type TextType = "text/plain" | "text/calendar" | "application/jsonl";

type ListName = {
  [Name in EndpointName]: ApiAnswer<Name> extends { next?: string | undefined } ? Name : never;
}[EndpointName];

export function makeClient(means: Means): Client {
  async function read(method: Route["method"], path: string, parts: Parts): Promise<unknown> {
    const { body, idempotencyKey, isRepeatable: mayRepeat, accepted = [] } = parts;
    const headers = {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
    };
    const isRepeatable =
      accepted.length === 0 &&
      (method === "GET" || mayRepeat === true || idempotencyKey !== undefined);
    const sent = { method, path, headers, isRepeatable };
    const answer = await send(body === undefined ? sent : { ...sent, body }, means);
    if ((answer.status >= 200 && answer.status < 300) || accepted.includes(answer.status)) {
      return parseJson(answer, means);
    }
    throw explainAnswer(answer, means.connection, path.replace(/\?.*/, ""));
  }

  async function readText(path: string, type: TextType): Promise<RawAnswer> {
    const answer = await send({ method: "GET", path, isRepeatable: true }, means);
    const { connection } = means;
    if (answer.status !== 200) throw explainAnswer(answer, connection, path.replace(/\?.*/, ""));
    if (isType(answer.headers, type)) return answer;
    throw new Failure(notKeyturn(connection.host, answer), exitCodes.unreachable);
  }

  const client: Client = {
    async call(name, request, accepted = []) {
      const { method }: Route = routes[name];
      const parts = { ...toParts(request), accepted };
      // The app answers with what its schemas describe.
      return (await read(method, pathOf(name, request), parts)) as ApiAnswer<typeof name>;
    },
    events: (params, options) =>
      readRotationEvents(pathOf("api-rotation-events", { params }), options, means),
    pages: (name, request) =>
      walk(pathOf(name, request), async (path) => {
        const page = (await read("GET", path, {})) as ApiAnswer<typeof name> & { next?: string };
        return { page, next: page.next?.startsWith("/api/") === true ? page.next : undefined };
      }),
    async text(name, query, type) {
      return (await readText(pathOf(name, { query }), type)).text;
    },
    texts: (name, query) =>
      walk(pathOf(name, { query }), async (path) => {
        const { text, headers } = await readText(path, "application/jsonl");
        const next = /^<(\/api\/[^>]+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
        return { page: text, next };
      }),
  };
  return client;
}

/** Every page from the first path on, each of which names the next one. */
async function* walk<Page>(
  first: string,
  read: (path: string) => Promise<{ readonly page: Page; readonly next: string | undefined }>,
): AsyncGenerator<Page> {
  const seen = new Set<string>();
  let path: string | undefined = first;
  while (path !== undefined) {
    // A list that repeats a page would never end.
    if (seen.has(path)) throw new Failure(repeatedPage, exitCodes.failed);
    seen.add(path);
    const found: Awaited<ReturnType<typeof read>> = await read(path);
    yield found.page;
    path = found.next;
  }
}

const repeatedPage = "The app answered with the same page again. Report this as a bug.";

interface Parts {
  readonly body?: string;
  readonly idempotencyKey?: string;
  readonly isRepeatable?: true;
  readonly accepted?: readonly number[];
}

interface AnyRequest {
  readonly params?: object | undefined;
  readonly query?: object | undefined;
  readonly body?: object | undefined;
  readonly idempotencyKey?: string;
  readonly isRepeatable?: true;
}

function toParts({ body, idempotencyKey, isRepeatable }: AnyRequest): Parts {
  return {
    ...(isRepeatable && { isRepeatable }),
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
}

/** The path of a route with its parameters and its query. Absent values are left out. */
function pathOf(name: RouteName, { params = {}, query = {} }: AnyRequest): string {
  const path = routes[name].path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) =>
    encodeURIComponent(String(Reflect.get(params, parameter))),
  );
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(
    Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
  );
  return search.size === 0 ? `/api/${path}` : `/api/${path}?${search.toString()}`;
}

function parseJson(answer: RawAnswer, { connection: { host } }: Means): unknown {
  const foreign = () => new Failure(notKeyturn(host, answer), exitCodes.unreachable);
  if (!isType(answer.headers, "application/json")) throw foreign();
  try {
    const content: unknown = JSON.parse(answer.text);
    if (typeof content === "object" && content !== null) return content;
  } catch {
    // Reported below, without the text.
  }
  throw foreign();
}
