/**
 * An endpoint for Keyturn's rotator `webhook`, for Node 20.11 or later, without dependencies. To use it for your own system, replace
 * accounts.mjs. docs/rotators/webhook.md has the protocol, and how to run this.
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { text } from "node:stream/consumers";
import { makeAccounts } from "./accounts.mjs";

const toleranceMs = 5 * 60 * 1000;
const maxBytes = 64 * 1024;

/** The listener for the HTTPS server. Requests signed with one of `checkKeys` may only verify. */
export function makeEndpoint({ keys, checkKeys = [], system }) {
  const refused = (message) => ({ answer: "refused", message });
  const existing = (operate) => (request) =>
    system.has(request.account)
      ? operate(request)
      : refused(`there is no account ${request.account}`);

  const operations = {
    examine: ({ account }) => ({
      answer: "ok",
      obstacles: system.has(account) ? [] : [`there is no account ${account}`],
    }),
    apply: existing(({ account, secret }) => {
      if (secret.length < 6) return refused("the secret must have at least 6 characters");
      system.set(account, secret);
      return { answer: "ok" };
    }),
    verify: ({ account, secret }) => ({
      answer: system.logsIn(account, secret) ? "accepted" : "rejected",
    }),
    hasSessions: ({ account }) => ({ answer: system.isInUse(account) ? "yes" : "no" }),
    retire: existing(({ account }) => {
      system.clear(account);
      return { answer: "ok" };
    }),
  };

  const isNew = makeReplayCheck();

  function answer(header, body) {
    const mayChange = isSigned(header, body, keys);
    if (!mayChange && !isSigned(header, body, checkKeys)) return [401, { answer: "unauthorized" }];
    const request = JSON.parse(body);
    if (!isNew(request.request)) return [401, { answer: "unauthorized" }];
    const { version, operation } = request;
    if (version !== 1 || !Object.hasOwn(operations, operation)) return [400, {}];
    if (!mayChange && operation !== "verify") return [200, refused("this key may only verify")];
    return [200, operations[operation](request)];
  }

  return async (request, response) => {
    const { "content-length": length, "keyturn-signature": signature = "" } = request.headers;
    let [status, content] = [413, {}];
    try {
      if (Number(length) <= maxBytes) [status, content] = answer(signature, await text(request));
    } catch (error) {
      // Keyturn treats 500 as an unknown result. Never log the request: it contains a secret.
      status = 500;
      console.error(error instanceof Error ? error.name : "unknown error");
    }
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(content));
  };
}

/** Whether one of the keys signed exactly this body within the last minutes. */
function isSigned(header, body, keys) {
  const [, seconds, hex] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (!(Math.abs(Date.now() - Number(seconds) * 1000) <= toleranceMs)) return false;
  return keys.some((key) => {
    const expected = createHmac("sha256", key).update(`${seconds}.${body}`).digest();
    return timingSafeEqual(expected, Buffer.from(hex, "hex"));
  });
}

/** Returns a function that says whether an id is new. An id is forgotten once the signature of its request is too old. */
function makeReplayCheck() {
  const seen = new Map();
  return (id) => {
    for (const [old, until] of seen) if (until < Date.now()) seen.delete(old);
    if (seen.has(id)) return false;
    seen.set(id, Date.now() + 2 * toleranceMs);
    return true;
  };
}

if (process.argv[1] === import.meta.filename) {
  const { KEYS = "", TLS_KEY = "", TLS_CERT = "", ACCOUNTS, PORT = "8443" } = process.env;
  const keys = KEYS.split(",");
  if (keys.some((key) => key.length < 16)) throw new Error("KEYS: each key needs 16 characters");
  const tls = { key: readFileSync(TLS_KEY), cert: readFileSync(TLS_CERT) };
  const server = createServer(tls, makeEndpoint({ keys, system: makeAccounts(ACCOUNTS) }));
  server.listen(Number(PORT), () => process.stdout.write(`listening on ${PORT}\n`));
}
