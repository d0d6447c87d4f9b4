import { randomBytes } from "node:crypto";
import type { RawAnswer } from "../../azure/azure-send.ts";
import { minute, second } from "../../core/time.ts";
import type { KeyProperties } from "./azure-key-properties.ts";
import {
  signAppConfiguration,
  signBatch,
  signBus,
  signCosmos,
  signStorage,
  signTable,
  signToken,
} from "./azure-key-signatures.ts";

/** A key, and where to prove it. */
export interface Probe {
  /** The name of the resource. */
  readonly name: string;
  /** The address of the service. Its path ends with a slash. */
  readonly url: URL;
  readonly key: string;
  /** See `RawKey.id`. */
  readonly id: string;
  readonly properties: KeyProperties;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface ProbeRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** How a consumer would use the key, without a change. */
export type Proof =
  | { readonly by: "redis" }
  | {
      readonly by: "request";
      /** Undefined: this resource has no such request. */
      readonly toRequest: (probe: Probe) => ProbeRequest | undefined;
      readonly accepts: readonly number[];
      /** Whether the answer refuses the key itself, and not the network or the request. */
      readonly refuses: (answer: RawAnswer) => boolean;
      /** It is not documented how the service answers a wrong key, so an accepted one proves something only if a wrong one is refused. */
      readonly needsControl?: true;
    };

/** A wrong key of the same form. */
export function makeWrongKey(key: string): string {
  const wrong = randomBytes(key.length).toString("base64").replaceAll(/[+/]/g, "0");
  const padding = /=*$/.exec(key)?.[0] ?? "";
  return wrong.slice(0, key.length - padding.length) + padding;
}

const toUtc = (now: number) => new Date(now).toUTCString();

const in5Minutes = (now: number) => Math.floor((now + 5 * minute) / second);

const below = ({ url }: Probe, path: string) => new URL(path, url);

const withStatus =
  (...statuses: readonly number[]) =>
  ({ status }: RawAnswer) =>
    statuses.includes(status);

/** Storage and Batch answer 403 for many reasons. */
function refusesSignature(answer: RawAnswer): boolean {
  const code = answer.headers.get("x-ms-error-code") ?? "";
  const isOfKey = code === "AuthenticationFailed" || answer.text.includes("AuthenticationFailed");
  return answer.status === 403 && isOfKey;
}

/** Blob, file and queue storage have the same signature. */
function toStorageRequest(probe: Probe): ProbeRequest {
  const { name, key, url: base, now, properties } = probe;
  const date = toUtc(now);
  const versioned = { "x-ms-date": date, "x-ms-version": "2023-11-03" };
  if (base.href === properties.primaryEndpoints?.table) {
    const url = below(probe, "Tables?$top=1");
    const authorization = signTable(name, key, url, date);
    const accept = "application/json;odata=nometadata";
    return { method: "GET", url, headers: { ...versioned, accept, authorization } };
  }
  const url = below(probe, "?comp=list&maxresults=1");
  // Every such header belongs to the signature, so the client must not add one.
  const headers = { ...versioned, "x-ms-client-request-id": "keyturn" };
  const authorization = signStorage(name, key, url, headers);
  return { method: "GET", url, headers: { ...headers, authorization } };
}

function toCognitiveRequest(probe: Probe): ProbeRequest {
  const { key, properties } = probe;
  if (["OpenAI", "AIServices"].includes(properties.kind ?? "")) {
    const url = below(probe, "openai/models?api-version=2024-10-21");
    return { method: "GET", url, headers: { "api-key": key } };
  }
  const url = below(probe, "sts/v1.0/issueToken");
  const headers = { "ocp-apim-subscription-key": key, "content-length": "0" };
  return { method: "POST", url, headers };
}

function toGridRequest(probe: Probe): ProbeRequest {
  const isCloud = probe.properties.inputSchema === "CloudEventSchemaV1_0";
  const type = isCloud
    ? "application/cloudevents-batch+json; charset=utf-8"
    : "application/json; charset=utf-8";
  const url = new URL(probe.url);
  url.searchParams.set("api-version", "2018-01-01");
  const headers = { "aeg-sas-key": probe.key, "content-type": type };
  return { method: "POST", url, headers, body: "[]" };
}

/** Whether a connection that does not exist is there. */
function toHubRequest(apiVersion: string, signsQuery: boolean) {
  return (probe: Probe): ProbeRequest => {
    const path = "api/hubs/keyturn/connections/keyturn";
    const url = below(probe, `${path}?api-version=${apiVersion}`);
    const aud = signsQuery ? url.href : below(probe, path).href;
    const token = signToken(probe.key, { aud, exp: in5Minutes(probe.now) });
    return { method: "HEAD", url, headers: { authorization: `Bearer ${token}` } };
  };
}

/** A registry answers with an access token, which is not used. */
function toRegistryRequest(probe: Probe): ProbeRequest {
  const { name, key } = probe;
  const url = below(probe, "oauth2/token");
  url.searchParams.set("service", url.hostname);
  url.searchParams.set("scope", "registry:catalog:*");
  const authorization = `Basic ${Buffer.from(`${name}:${key}`).toString("base64")}`;
  return { method: "GET", url, headers: { authorization } };
}

/** The proofs by the name of the service. */
export const proofs = {
  storage: {
    by: "request",
    toRequest: toStorageRequest,
    accepts: [200],
    refuses: refusesSignature,
  },
  cosmos: {
    by: "request",
    // What its REST interface answers for an account of another kind is not documented.
    toRequest: (probe) =>
      probe.properties.kind === "MongoDB"
        ? undefined
        : {
            method: "GET",
            url: below(probe, "dbs"),
            headers: {
              "x-ms-date": toUtc(probe.now),
              "x-ms-version": "2020-07-15",
              authorization: signCosmos(probe.key, toUtc(probe.now)),
            },
          },
    accepts: [200],
    refuses: withStatus(401),
  },
  cognitive: {
    by: "request",
    toRequest: toCognitiveRequest,
    accepts: [200],
    refuses: withStatus(401),
    needsControl: true,
  },
  search: {
    by: "request",
    toRequest: (probe) => ({
      method: "GET",
      url: below(probe, "servicestats?api-version=2024-07-01"),
      headers: { "api-key": probe.key },
    }),
    accepts: [200],
    // 403 may also come from its network rules.
    refuses: withStatus(401),
    needsControl: true,
  },
  redis: { by: "redis" },
  signalr: {
    by: "request",
    toRequest: toHubRequest("2022-06-01", false),
    accepts: [200, 404],
    refuses: withStatus(401),
    needsControl: true,
  },
  webPubSub: {
    by: "request",
    toRequest: toHubRequest("2024-12-01", true),
    accepts: [200, 404],
    refuses: withStatus(401),
    needsControl: true,
  },
  eventGrid: {
    by: "request",
    toRequest: toGridRequest,
    accepts: [200],
    refuses: withStatus(401),
    needsControl: true,
  },
  appConfiguration: {
    by: "request",
    toRequest(probe) {
      const url = below(probe, "keys?api-version=1.0&name=keyturn-probe");
      const headers = signAppConfiguration(probe.id, probe.key, url, toUtc(probe.now));
      return { method: "GET", url, headers };
    },
    accepts: [200],
    // An answer about the time of the request says nothing about the key.
    refuses: ({ status, headers }) =>
      status === 401 &&
      /Invalid (?:Signature|Credential)/.test(headers.get("www-authenticate") ?? ""),
  },
  batch: {
    by: "request",
    toRequest(probe) {
      const url = below(probe, "pools?api-version=2022-10-01.16.0&maxresults=1");
      const date = toUtc(probe.now);
      const authorization = signBatch(probe.name, probe.key, url, date);
      return { method: "GET", url, headers: { "ocp-date": date, authorization } };
    },
    accepts: [200],
    refuses: refusesSignature,
  },
  maps: {
    by: "request",
    toRequest: (probe) => ({
      method: "GET",
      url: below(probe, "map/copyright/caption/json?api-version=2024-04-01"),
      headers: { "subscription-key": probe.key },
    }),
    accepts: [200],
    refuses: withStatus(401),
    needsControl: true,
  },
  registry: {
    by: "request",
    toRequest: toRegistryRequest,
    accepts: [200],
    refuses: withStatus(401),
  },
} as const satisfies Readonly<Record<string, Proof>>;

/** Reads the description of the namespace or of the entity, for which a rule needs the right to manage it. `path`: the entity. */
export function makeBusProof(rule: string, path: string, apiVersion: string): Proof {
  return {
    by: "request",
    toRequest(probe) {
      if (probe.properties.rights?.includes("Manage") !== true) return undefined;
      const url = below(probe, path);
      const authorization = signBus(rule, probe.key, url.href, in5Minutes(probe.now));
      url.searchParams.set("api-version", apiVersion);
      return { method: "GET", url, headers: { authorization } };
    },
    accepts: [200],
    refuses: withStatus(401),
    needsControl: true,
  };
}
