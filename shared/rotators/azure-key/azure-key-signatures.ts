import { createHash, createHmac } from "node:crypto";

/** The signatures with which clients of the services prove that they have a key. Pure. */

const hmac = (key: string | Buffer, text: string): string =>
  createHmac("sha256", key).update(text, "utf8").digest("base64");

const decoded = (key: string): Buffer => Buffer.from(key, "base64");

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("base64");

/** The parameters of the query, sorted and decoded, each on a line of its own. */
function listQuery(url: URL): string {
  const parameters = Array.from(url.searchParams, ([name, value]) => [name.toLowerCase(), value]);
  const sorted = parameters.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  return sorted.map(([name, value]) => `\n${name}:${value}`).join("");
}

/** GET of blob, file and queue storage. `headers`: every header that begins with `x-ms-`. */
export function signStorage(
  account: string,
  key: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
): string {
  const lines = Object.entries(headers)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`);
  const text = `GET${"\n".repeat(12)}${lines.join("")}/${account}${url.pathname}${listQuery(url)}`;
  return `SharedKey ${account}:${hmac(decoded(key), text)}`;
}

/** GET of table storage. */
export function signTable(account: string, key: string, url: URL, date: string): string {
  const text = `GET\n\n\n${date}\n/${account}${url.pathname}`;
  return `SharedKey ${account}:${hmac(decoded(key), text)}`;
}

/** GET of the list of databases. */
export function signCosmos(key: string, date: string): string {
  const signature = hmac(decoded(key), `get\ndbs\n\n${date.toLowerCase()}\n\n`);
  return encodeURIComponent(`type=master&ver=1.0&sig=${signature}`);
}

/** A shared access signature of Service Bus and its relatives. The key is used as it stands. `expiry`: seconds since 1970. */
export function signBus(rule: string, key: string, uri: string, expiry: number): string {
  const encoded = encodeURIComponent(uri);
  const signature = encodeURIComponent(hmac(key, `${encoded}\n${expiry}`));
  return `SharedAccessSignature sr=${encoded}&sig=${signature}&se=${expiry}&skn=${encodeURIComponent(rule)}`;
}

/** GET without a body, of App Configuration. */
export function signAppConfiguration(
  id: string,
  key: string,
  url: URL,
  date: string,
): Readonly<Record<string, string>> {
  const hash = sha256("");
  const text = `GET\n${url.pathname}${url.search}\n${date};${url.host};${hash}`;
  const signature = hmac(decoded(key), text);
  return {
    "x-ms-date": date,
    "x-ms-content-sha256": hash,
    authorization: `HMAC-SHA256 Credential=${id}&SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
  };
}

/** GET of Batch, with the header `ocp-date`. */
export function signBatch(account: string, key: string, url: URL, date: string): string {
  const text = `GET${"\n".repeat(12)}ocp-date:${date}\n/${account}${url.pathname}${listQuery(url)}`;
  return `SharedKey ${account}:${hmac(decoded(key), text)}`;
}

/** A token of SignalR and Web PubSub. The key is used as it stands. `exp`: seconds since 1970. */
export function signToken(key: string, payload: { readonly aud: string; readonly exp: number }) {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(payload)}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}
