import { randomBytes, randomUUID } from "node:crypto";
import { type LoopbackReply, type LoopbackRequest, serveOnLoopback } from "../loopback.ts";

export interface IdentityEndpointOptions {
  /** Default: 0, a free port. */
  readonly port?: number | undefined;
  readonly now?: (() => Date) | undefined;
  /** Seconds that a token is valid. Default: a day, as on the platform. */
  readonly tokenSeconds?: number | undefined;
  /** Client id of the default identity, for requests without a client id. */
  readonly clientId?: string | undefined;
  /** Client ids of further identities. */
  readonly userAssigned?: readonly string[] | undefined;
}

export interface IdentityEndpoint {
  /** The complete URL, for IDENTITY_ENDPOINT. */
  readonly url: string;
  /** Secret of this endpoint, for IDENTITY_HEADER. */
  readonly header: string;
  /** The environment variables with which `ManagedIdentityCredential` finds this endpoint. */
  readonly env: { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string };
  /** Issues a token of the default identity without a request, for code in the same process. `expiresOn` is in seconds since 1970. */
  issue(resource: string): { readonly token: string; readonly expiresOn: number };
  /** Whether this endpoint issued the token for the resource and the token has not expired. */
  accepts(token: string, resource: string): boolean;
  close(): Promise<void>;
}

interface Issued {
  readonly token: string;
  readonly resource: string;
  readonly clientId: string;
  /** Seconds since 1970. */
  readonly expiresOn: number;
}

const PATH = "/msi/token";
const API_VERSION = "2019-08-01";

/** Emulates the managed identity endpoint of App Service and Functions. Tokens are random and are lost on close. */
export async function startIdentityEndpoint(
  options: IdentityEndpointOptions = {},
): Promise<IdentityEndpoint> {
  const header = randomBytes(32).toString("hex").toUpperCase();
  const now = (): number => Math.floor((options.now?.() ?? new Date()).getTime() / 1000);
  const tokens = createTokens(options.tokenSeconds ?? 86_400, now);
  const system = options.clientId ?? randomUUID();
  const known = [system, ...(options.userAssigned ?? [])];
  const server = await serveOnLoopback({
    port: options.port,
    bodyLimit: 0,
    handler: () => (request) => Promise.resolve(answer(request, { header, known, tokens })),
  });
  const url = `${server.url}${PATH}`;
  return {
    url,
    header,
    env: { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: header },
    issue: (resource) => tokens.issue(trimSlash(resource), system),
    accepts: (token, resource) => tokens.accepts(token, resource),
    close: () => server.close(),
  };
}

type Tokens = ReturnType<typeof createTokens>;

/** Like the platform's cache, issues the same token until half of its lifetime is over. */
function createTokens(lifeSeconds: number, now: () => number) {
  let issued: Issued[] = [];
  return {
    issue(resource: string, clientId: string): Issued {
      issued = issued.filter((each) => each.expiresOn > now());
      const kept = issued.find(
        (each) =>
          each.resource === resource &&
          each.clientId === clientId &&
          each.expiresOn - now() > lifeSeconds / 2,
      );
      if (kept !== undefined) return kept;
      const token = randomBytes(48).toString("base64url");
      const made = { token, resource, clientId, expiresOn: now() + lifeSeconds };
      issued.push(made);
      return made;
    },
    accepts(token: string, resource: string): boolean {
      return issued.some(
        (each) =>
          each.token === token && each.resource === trimSlash(resource) && each.expiresOn > now(),
      );
    },
  };
}

const trimSlash = (resource: string): string => resource.replace(/\/$/, "");

function answer(
  request: LoopbackRequest,
  own: { readonly header: string; readonly known: readonly string[]; readonly tokens: Tokens },
): LoopbackReply {
  if (request.path !== PATH) return refusal(404, "This path does not exist.");
  if (request.method !== "GET") return refusal(405, "This path allows GET only.");
  if (request.headers["x-identity-header"] !== own.header) {
    return refusal(401, "The X-IDENTITY-HEADER header is missing or wrong.");
  }
  if (request.query.get("api-version") !== API_VERSION) {
    return refusal(400, `The api-version must be ${API_VERSION}.`);
  }
  const resource = trimSlash(request.query.get("resource") ?? "");
  if (resource === "") return refusal(400, "The resource is missing.");
  const clientId = request.query.get("client_id") ?? own.known[0] ?? "";
  if (!own.known.includes(clientId)) {
    return refusal(400, "No managed identity has this client id.");
  }
  const { token, expiresOn } = own.tokens.issue(resource, clientId);
  return {
    status: 200,
    json: {
      access_token: token,
      expires_on: String(expiresOn),
      resource,
      token_type: "Bearer",
      client_id: clientId,
    },
  };
}

const refusal = (statusCode: number, message: string): LoopbackReply => ({
  status: statusCode,
  json: { statusCode, message },
});
