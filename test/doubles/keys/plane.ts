import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import {
  cognitivePlane,
  inHeader,
  type KeyPlane as LocalKeyPlane,
  type PlaneAnswer,
  type PlaneBehaviour,
  type PlaneKey,
  startKeyPlane as start,
  unauthorized,
} from "../../../local/azure/key-plane.ts";
import {
  signAppConfiguration,
  signBatch,
  signBus,
  signCosmos,
  signStorage,
} from "../../../shared/rotators/azure-key/azure-key-signatures.ts";
import { localCertificate } from "../certificate.ts";

/** What a service answers to its clients, except for storage, which Azurite is. test/rotators/azure-key-signatures.test.ts checks the signatures. */
export interface KeyPlane extends LocalKeyPlane {
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

/** A token with the audience that the service demands. */
function hasToken(toAudience: (url: URL) => string): PlaneBehaviour["has"] {
  return ({ header, url }, { value }) => {
    const token = header("authorization").replace(/^Bearer /, "");
    const [head = "", payload = "", signature] = token.split(".");
    const { aud } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { aud: string };
    const expected = createHmac("sha256", value).update(`${head}.${payload}`).digest("base64url");
    return signature === expected && aud === toAudience(url);
  };
}

/** Whether a connection of a hub exists. */
const toConnections = (version: RegExp) => [
  {
    method: "HEAD",
    path: /^\/api\/hubs\/[A-Za-z]\w*\/connections\/[^/]+$/,
    query: { "api-version": version },
  },
];

const hub = {
  accepted: { status: 404 },
  refused: { status: 401 },
} as const;

const grid: PlaneBehaviour = {
  routes: [{ method: "POST", path: /^\/api\/events$/, query: { "api-version": /^2018-01-01$/ } }],
  accepted: { status: 200 },
  refused: unauthorized,
  has: (asked, key) => inHeader("aeg-sas-key")(asked, key) && asked.body === "[]",
};

/** An entity or a resource of the namespace, without a slash at the end. */
const toBusRoutes = (path: RegExp, version: RegExp) => [
  { method: "GET", path, query: { "api-version": version } },
];

const bus: Omit<PlaneBehaviour, "routes"> = {
  accepted: { status: 200, text: "<entry/>" },
  refused: { status: 401, text: "40103: Invalid authorization token signature" },
  has({ header, url }, { value }) {
    const authorization = header("authorization");
    const [, expiry = "", rule = ""] = /&se=(\d+)&skn=(.*)$/.exec(authorization) ?? [];
    const resource = `${url.origin}${url.pathname}`;
    return authorization === signBus(decodeURIComponent(rule), value, resource, Number(expiry));
  },
};

const behaviours: Readonly<Record<string, PlaneBehaviour>> = {
  storage: {
    routes: [{ method: "GET", path: /^\/$/, query: { comp: /^list$/ } }],
    accepted: { status: 200, text: "<EnumerationResults/>" },
    refused: { status: 403, headers: { "x-ms-error-code": "AuthenticationFailed" } },
    has({ header, url, name }, { value }) {
      const names = ["x-ms-client-request-id", "x-ms-date", "x-ms-version"];
      const headers = Object.fromEntries(names.map((one) => [one, header(one)]));
      return header("authorization") === signStorage(name, value, url, headers);
    },
  },
  "cosmos-db": {
    routes: [{ method: "GET", path: /^\/dbs$/ }],
    accepted: { status: 200, text: "{}" },
    refused: unauthorized,
    has: ({ header }, { value }) =>
      header("authorization") === signCosmos(value, header("x-ms-date")),
  },
  cognitive: cognitivePlane,
  search: {
    routes: [
      {
        method: "GET",
        path: /^\/servicestats$/,
        query: { "api-version": /^(?:2020-06-30|2023-11-01|2024-07-01|2025-09-01)$/ },
      },
    ],
    accepted: { status: 200, text: "{}" },
    refused: { status: 403 },
    has: inHeader("api-key"),
  },
  signalr: {
    ...hub,
    routes: toConnections(/^(?:2022-06-01|2024-12-01)$/),
    has: hasToken(({ origin, pathname }) => origin + pathname),
  },
  "web-pubsub": {
    ...hub,
    routes: toConnections(/^(?:2021-10-01|2022-11-01|2023-07-01|2024-01-01|2024-12-01)$/),
    has: hasToken(({ href }) => href),
  },
  "event-grid-topic": grid,
  "event-grid-domain": grid,
  "app-configuration": {
    routes: [
      { method: "GET", path: /^\/keys$/, query: { "api-version": /^(?:1\.0|2023-11-01)$/ } },
    ],
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
    routes: [
      { method: "GET", path: /^\/pools$/, query: { "api-version": /^20\d\d-\d\d-\d\d\.\d+\.0$/ } },
    ],
    accepted: { status: 200, text: '{"value":[]}' },
    refused: { status: 403, text: '{"code":"AuthenticationFailed"}' },
    has: ({ header, url, name }, { value }) =>
      header("authorization") === signBatch(name, value, url, header("ocp-date")),
  },
  maps: {
    // Version 1.0 has ended in September 2026.
    routes: [
      {
        method: "GET",
        path: /^\/map\/copyright\/caption\/(?:json|xml)$/,
        query: { "api-version": /^(?:2022-08-01|2024-04-01)$/ },
      },
    ],
    accepted: { status: 200, text: "{}" },
    refused: unauthorized,
    has: inHeader("subscription-key"),
  },
  "container-registry": {
    routes: [
      { method: "GET", path: /^\/oauth2\/token$/, query: { service: /^.+$/, scope: /^.+$/ } },
    ],
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
  // A name of an entity cannot begin with a dollar.
  "service-bus": {
    ...bus,
    routes: toBusRoutes(/^\/(?:\$namespaceinfo|\w[\w./-]*)$/, /^(?:2017-04|2021-05)$/),
  },
  "event-hubs": {
    ...bus,
    routes: toBusRoutes(/^\/(?:\$Resources\/EventHubs|\w[\w./-]*)$/i, /^(?:2014-01|2017-04)$/),
  },
};

const unknown: PlaneBehaviour = {
  routes: [],
  accepted: { status: 500 },
  refused: { status: 500 },
  has: () => false,
};

/** Serves one resource. `listKeys`: those that are valid now. */
export async function startKeyPlane(
  service: string,
  name: string,
  listKeys: () => readonly PlaneKey[],
): Promise<KeyPlane> {
  const behaviour = behaviours[service] ?? unknown;
  const requests: { method: string; url: string }[] = [];
  const dates: string[] = [];
  const received = new Set<string>();
  const set = { always: undefined as PlaneAnswer | undefined, hostile: false };
  const before = ({ method = "", url = "/", headers }: IncomingMessage) => {
    const proof = findProof(headers.authorization);
    if (proof !== undefined) received.add(proof);
    requests.push({ method, url });
    const date = headers["ocp-date"] ?? headers["x-ms-date"];
    if (typeof date === "string") dates.push(date);
    return set.always;
  };
  const worsen = (refused: PlaneAnswer, { headers }: IncomingMessage): PlaneAnswer =>
    set.hostile
      ? { ...refused, text: `${refused.text ?? ""} ${JSON.stringify(headers)}` }
      : refused;
  const tls = await localCertificate();
  const plane = await start({ tls, name, behaviour, listKeys, before, worsen });
  return Object.assign(set, { ...plane, requests, dates, received });
}

/** What shows that a client has the key, and works for a while without it. */
function findProof(authorization = ""): string | undefined {
  const found = /^(?:SharedKey \w+:|SharedAccessSignature .*&sig=|Bearer )([^&]+)/.exec(
    authorization,
  );
  return found?.[1] && decodeURIComponent(found[1]);
}
