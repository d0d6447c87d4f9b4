/** The format of values between the host and the function library: exactly one of the fields is set. */
export interface RpcTypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  http?: RpcHttpData;
  int?: number;
  double?: number;
}

export type RpcNullableMapping = Record<string, { value: string }>;

export interface RpcHttpRequest {
  method: string;
  /** The absolute URL with the query. */
  url: string;
  nullableHeaders: RpcNullableMapping;
  nullableQuery: RpcNullableMapping;
  nullableParams: RpcNullableMapping;
  body?: RpcTypedData;
}

export interface RpcHttpCookie {
  name: string;
  value: string;
  domain?: { value?: string };
  path?: { value?: string };
  expires?: { value?: { seconds?: number } };
  secure?: { value?: boolean };
  httpOnly?: { value?: boolean };
  sameSite?: "none" | "lax" | "strict" | "explicitNone";
  maxAge?: { value?: number };
}

export interface RpcHttpResponse {
  statusCode?: string;
  headers?: Record<string, string>;
  cookies?: RpcHttpCookie[];
  body?: RpcTypedData | null;
}

export type RpcHttpData = RpcHttpRequest | RpcHttpResponse;

export type Received = RpcTypedData | null | undefined;

export const json = (value: unknown): RpcTypedData => ({ json: JSON.stringify(value) });

/** Converts headers or a query as the real host does: lower-case names, and several values joined by a comma. */
export function toNullableMapping(
  entries: Iterable<readonly [string, string]>,
): RpcNullableMapping {
  const mapping: RpcNullableMapping = {};
  for (const [name, value] of entries) {
    const earlier = Object.hasOwn(mapping, name) ? mapping[name] : undefined;
    mapping[name] = { value: earlier === undefined ? value : `${earlier.value},${value}` };
  }
  return mapping;
}

/** Converts a response body to bytes. */
export function toBytes(data: Received): Uint8Array {
  if (data === null || data === undefined) return new Uint8Array();
  if (data.bytes !== undefined) return data.bytes;
  return Buffer.from(data.string ?? data.json ?? String(data.int ?? data.double ?? ""));
}

/** Converts a queue output to messages. Each element of an array becomes a message. */
export function toMessages(data: Received): (string | Uint8Array)[] {
  if (data === null || data === undefined) return [];
  if (data.bytes !== undefined) return [data.bytes];
  if (data.json === undefined) return [Buffer.from(toBytes(data)).toString("utf8")];
  const value: unknown = JSON.parse(data.json);
  if (!Array.isArray(value)) return [data.json];
  return value.map((element: unknown) =>
    typeof element === "string" ? element : JSON.stringify(element),
  );
}

/** Formats the `Set-Cookie` line of a cookie. Names and values are escaped as in ASP.NET Core. */
export function toSetCookie(cookie: RpcHttpCookie): string {
  const seconds = cookie.expires?.value?.seconds;
  const parts: (string | undefined)[] = [
    `${encodeURIComponent(cookie.name)}=${encodeURIComponent(cookie.value)}`,
    seconds === undefined ? undefined : `expires=${new Date(seconds * 1000).toUTCString()}`,
    attribute("max-age", cookie.maxAge?.value),
    attribute("domain", cookie.domain?.value),
    attribute("path", cookie.path?.value),
    cookie.secure?.value === true ? "secure" : undefined,
    sameSiteAttribute[cookie.sameSite ?? "none"],
    cookie.httpOnly?.value === true ? "httponly" : undefined,
  ];
  return parts.filter((part) => part !== undefined).join("; ");
}

const sameSiteAttribute = {
  none: undefined,
  lax: "samesite=lax",
  strict: "samesite=strict",
  explicitNone: "samesite=none",
} as const;

const attribute = (name: string, value: string | number | undefined) =>
  value === undefined ? undefined : `${name}=${String(value)}`;
