import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { text } from "node:stream/consumers";
import { listen, type Listening } from "../../../conformance/faults/listening.ts";
import {
  signAppConfiguration,
  signBatch,
  signBus,
  signCosmos,
  signStorage,
} from "../../../shared/rotators/azure-key/azure-key-signatures.ts";
import { localCertificate } from "../certificate.ts";

export interface PlaneAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

/** What a service answers to its clients, except for storage, which Azurite is. test/rotators/azure-key-signatures.test.ts checks the signatures. */
export interface KeyPlane extends Listening {
  readonly origin: string;
  readonly requests: { readonly method: string; readonly url: string }[];
  /** The dates of signed requests. */
  readonly dates: string[];
  /** Answers every request so, whatever its key. */
  always: PlaneAnswer | undefined;
  /** While true, a refusal repeats the headers of the request, which have the key or a signature. */
  hostile: boolean;
  /** The signatures that clients have sent. */
  readonly received: ReadonlySet<string>;
}

/** A request to the service. */
interface Asked {
  readonly url: URL;
  readonly header: (name: string) => string;
  readonly name: string;
  readonly body: string;
}

/** A key with its id, which only one service has. */
export interface PlaneKey {
  readonly value: string;
  readonly id: string;
}

interface Behaviour {
  readonly accepted: PlaneAnswer;
  readonly refused: PlaneAnswer;
  readonly has: (asked: Asked, key: PlaneKey) => boolean;
}

const unauthorized: PlaneAnswer = {
  status: 401,
  text: JSON.stringify({ error: { code: "401", message: "Access denied due to invalid key." } }),
};

const inHeader =
  (name: string): Behaviour["has"] =>
  ({ header }, { value }) =>
    header(name) === value;

/** A token with the audience that the service demands. */
function hasToken(toAudience: (url: URL) => string): Behaviour["has"] {
  return ({ header, url }, { value }) => {
    const token = header("authorization").replace(/^Bearer /, "");
    const [head = "", payload = "", signature] = token.split(".");
    const { aud } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { aud: string };
    const expected = createHmac("sha256", value).update(`${head}.${payload}`).digest("base64url");
    return signature === expected && aud === toAudience(url);
  };
}

const hub = {
  accepted: { status: 404 },
  refused: { status: 401 },
} as const;

const grid: Behaviour = {
  accepted: { status: 200 },
  refused: unauthorized,
  has: (asked, key) => inHeader("aeg-sas-key")(asked, key) && asked.body === "[]",
};

const bus: Behaviour = {
  accepted: { status: 200, text: "<entry/>" },
  refused: { status: 401, text: "40103: Invalid authorization token signature" },
  has({ header, url }, { value }) {
    const authorization = header("authorization");
    const [, expiry = "", rule = ""] = /&se=(\d+)&skn=(.*)$/.exec(authorization) ?? [];
    const resource = `${url.origin}${url.pathname}`;
    return authorization === signBus(decodeURIComponent(rule), value, resource, Number(expiry));
  },
};

const behaviours: Readonly<Record<string, Behaviour>> = {
  storage: {
    accepted: { status: 200, text: "<EnumerationResults/>" },
    refused: { status: 403, headers: { "x-ms-error-code": "AuthenticationFailed" } },
    has({ header, url, name }, { value }) {
      const names = ["x-ms-client-request-id", "x-ms-date", "x-ms-version"];
      const headers = Object.fromEntries(names.map((one) => [one, header(one)]));
      return header("authorization") === signStorage(name, value, url, headers);
    },
  },
  "cosmos-db": {
    accepted: { status: 200, text: "{}" },
    refused: unauthorized,
    has: ({ header }, { value }) =>
      header("authorization") === signCosmos(value, header("x-ms-date")),
  },
  cognitive: {
    accepted: { status: 200, text: "{}" },
    refused: unauthorized,
    has: (asked, key) =>
      inHeader(asked.url.pathname.startsWith("/sts/") ? "ocp-apim-subscription-key" : "api-key")(
        asked,
        key,
      ),
  },
  search: {
    accepted: { status: 200, text: "{}" },
    refused: { status: 403 },
    has: inHeader("api-key"),
  },
  signalr: { ...hub, has: hasToken(({ origin, pathname }) => origin + pathname) },
  "web-pubsub": { ...hub, has: hasToken(({ href }) => href) },
  "event-grid-topic": grid,
  "event-grid-domain": grid,
  "app-configuration": {
    accepted: { status: 200, text: '{"items":[]}' },
    refused: {
      status: 401,
      headers: {
        "www-authenticate":
          'HMAC-SHA256 error="invalid_token" error_description="Invalid Signature"',
      },
    },
    has({ header, url }, { value, id }) {
      const signed = signAppConfiguration(id, value, url, header("x-ms-date"));
      return header("authorization") === signed["authorization"];
    },
  },
  batch: {
    accepted: { status: 200, text: '{"value":[]}' },
    refused: { status: 403, text: '{"code":"AuthenticationFailed"}' },
    has: ({ header, url, name }, { value }) =>
      header("authorization") === signBatch(name, value, url, header("ocp-date")),
  },
  maps: {
    accepted: { status: 200, text: "{}" },
    refused: unauthorized,
    has: inHeader("subscription-key"),
  },
  "container-registry": {
    accepted: { status: 200, text: '{"access_token":"not used"}' },
    refused: unauthorized,
    has({ header, name }, { value }) {
      const given = Buffer.from(
        header("authorization").replace(/^Basic /, ""),
        "base64",
      ).toString();
      return given === `${name}:${value}`;
    },
  },
  "service-bus": bus,
  "event-hubs": bus,
};

/** Serves one resource. `listKeys`: those that are valid now. */
export async function startKeyPlane(
  service: string,
  name: string,
  listKeys: () => readonly PlaneKey[],
): Promise<KeyPlane> {
  const { key, cert } = await localCertificate();
  const behaviour = behaviours[service];
  const requests: { method: string; url: string }[] = [];
  const dates: string[] = [];
  const received = new Set<string>();
  const set = { always: undefined as PlaneAnswer | undefined, hostile: false };

  async function answer(request: IncomingMessage): Promise<PlaneAnswer> {
    const { method = "", url = "/" } = request;
    requests.push({ method, url });
    const date = request.headers["ocp-date"] ?? request.headers["x-ms-date"];
    if (typeof date === "string") dates.push(date);
    const body = await text(request);
    if (set.always !== undefined) return set.always;
    if (behaviour === undefined) return { status: 500 };
    const header = (one: string) => [request.headers[one] ?? ""].flat().join();
    const proof = findProof(header("authorization"));
    if (proof !== undefined) received.add(proof);
    const asked = { url: new URL(url, `https://${header("host")}`), header, name, body };
    const isKnown = listKeys().some((one) => behaviour.has(asked, one));
    if (isKnown) return behaviour.accepted;
    const { refused } = behaviour;
    if (!set.hostile) return refused;
    return { ...refused, text: `${refused.text ?? ""} ${JSON.stringify(request.headers)}` };
  }

  const listening = await listen(
    createServer({ key, cert }, (request, response) => {
      answer(request)
        .then(({ status, headers, text: content }) => {
          response.writeHead(status, headers);
          response.end(request.method === "HEAD" ? undefined : content);
        })
        .catch(() => request.socket.destroy());
    }),
  );
  return Object.assign(set, {
    ...listening,
    origin: `https://localhost:${listening.port}`,
    requests,
    dates,
    received,
  });
}

/** What shows that a client has the key, and works for a while without it. */
function findProof(authorization: string): string | undefined {
  const found = /^(?:SharedKey \w+:|SharedAccessSignature .*&sig=|Bearer )([^&]+)/.exec(
    authorization,
  );
  return found?.[1] && decodeURIComponent(found[1]);
}
