import { z } from "zod";
import type { Endpoint } from "../../core/target.ts";
import { formatDuration, hour, parseDuration } from "../../core/time.ts";
import { publishedKeys } from "../common/connection/published-keys.ts";
import { caFile } from "../common/connection/tls.ts";

const urlMessage =
  "must begin with https://, and must have no user name, no query and no part after #, such as https://crm.example.com/keyturn";

function isPlainHttps(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol !== "https:") return false;
  return url.username === "" && url.password === "" && !/[?#]/.test(text);
}

const maxPropagation = hour;
const durationMessage = `must be a duration such as 30s or 5m, at most ${formatDuration(maxPropagation)}`;

/** Operations that an endpoint may leave out. */
const optional = ["retire", "hasSessions"] as const;

export const webhookOptions = z.strictObject({
  /** The address that receives every request. It must not contain a secret, because messages show it. */
  url: z
    .string()
    .regex(/^https:\/\//, { error: urlMessage, abort: true })
    .refine(isPlainHttps, urlMessage),
  /** The optional operations that the endpoint implements. */
  supports: z.array(z.enum(optional)).max(optional.length).default([]),
  /** How long the system may refuse a new secret after a change. */
  propagation: z
    .string()
    .regex(/^\d{1,9}(ms|s|m|h)$/, { error: durationMessage, abort: true })
    .refine((text) => (parseDuration(text) ?? Infinity) <= maxPropagation, durationMessage)
    .default("0s"),
  /** What consumers need to connect to the system, by the keys of the published JSON. They replace host and port of `url`. */
  connection: publishedKeys,
  tls: z.strictObject({ caFile }).prefault({}),
});

export type WebhookOptions = z.output<typeof webhookOptions>;
export type Supported = (typeof optional)[number];

const toUrl = ({ url }: WebhookOptions) => new URL(url);

/** Host and port of the endpoint, as a connection needs them. */
export function findPlace(options: WebhookOptions): {
  readonly host: string;
  readonly port: number;
} {
  const { hostname, port } = toUrl(options);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 443) };
}

export function findEndpoint(options: WebhookOptions): Endpoint {
  const { connection } = options;
  const more = Object.keys(connection).length > 0 ? { more: connection } : {};
  return { engine: "webhook", ...findPlace(options), ...more };
}

/** Two paths of a host are two systems. */
export const findRealm = (options: WebhookOptions): string => toUrl(options).pathname;

export const findPropagation = ({ propagation }: WebhookOptions): number =>
  parseDuration(propagation) ?? 0;

/** Why Keyturn does not request the operation. */
export function findUnsupported(
  { supports }: WebhookOptions,
  operation: Supported,
): string | undefined {
  if (supports.includes(operation)) return undefined;
  return `options.supports does not list ${operation}. Add it if the endpoint implements it`;
}
