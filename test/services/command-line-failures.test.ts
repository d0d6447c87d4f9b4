import { createServer as createProxy } from "node:http";
import { createServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../../conformance/faults/listening.ts";
import { makeCertificate } from "../../local/certificate.ts";
import {
  type LoopbackAnswer,
  type LoopbackRequest,
  serveOnLoopback,
} from "../../local/loopback.ts";
import { runCommand, wordsOf } from "../cli/run-command.ts";
import { makeFolder } from "../config/written.ts";

const key = "a-function-key-that-nobody-may-see";
const rotation = "01M8DN458WR7MW66ZTVCCEXGYW";

/** Starts a server that answers as `reply` says, and counts its requests. */
async function serve(reply: (request: LoopbackRequest, count: number) => LoopbackAnswer) {
  const requests: LoopbackRequest[] = [];
  const server = await serveOnLoopback({
    bodyLimit: 10_000,
    handler: () => (request) => Promise.resolve(reply(request, requests.push(request))),
  });
  onTestFinished(() => server.close());
  return { url: server.url, host: new URL(server.url).host, requests };
}

/** Runs a command against the address, with a key in the environment. The key must appear nowhere. */
async function keyturn(url: string, line: string, more: Readonly<Record<string, string>> = {}) {
  const args = wordsOf(line);
  expect(args.join(" ")).not.toContain(key);
  const environment = { KEYTURN_APP: url, KEYTURN_KEY: key, ...more };
  const ended = await runCommand(args, { environment });
  expect(ended.stdout + ended.stderr).not.toContain(key);
  return ended;
}

const problem = (status: number, kind: string, detail: string, headers = {}): LoopbackAnswer => ({
  status,
  headers: { "content-type": "application/problem+json", ...headers },
  text: JSON.stringify({
    type: `urn:problem-type:keyturn:${kind}`,
    title: kind,
    ...{ status, detail },
  }),
});
const html = (status: number, headers = {}): LoopbackAnswer => ({
  status,
  headers: { "content-type": "text/html", ...headers },
  text: "<html>log in</html>",
});
const requested = {
  ...{ target: "orders", rotation, joined: false, why: "requested" },
  status: `/api/targets/orders/rotations/${rotation}`,
};

test.each<[string, LoopbackAnswer, number, RegExp]>([
  ["a wrong key", { status: 401 }, 4, /rejected the function key in KEYTURN_KEY \(401\)\. Put a/],
  ["a forbidden key", { status: 403 }, 4, /rejected the function key in KEYTURN_KEY \(403\)/],
  ["another site", html(404), 4, /does not have \/api\/targets \(404\)\. Check the address/],
  ["a web page", html(200), 4, /answered with a web page \(200\)\. It is not a Keyturn app/],
  ["text", { status: 200, text: "ok" }, 4, /something that is not JSON \(200\)/],
  [
    "a log-in page",
    html(302, { location: "https://login.example/x?token=t" }),
    4,
    /redirects to login\.example \(302\)\. .*--entra/,
  ],
  ["a gateway error", html(502, { "retry-after": "0" }), 4, /busy or is starting \(502\)/],
  ["a failure of the app", { status: 500 }, 1, /failed \(500\)\. Its log has the error/],
  [
    "an unknown target",
    problem(404, "target-not-found", 'Target "orders" does not exist.'),
    3,
    /does not exist\. `keyturn targets` lists the targets\./,
  ],
  [
    "a rejected value",
    problem(400, "invalid-request", "`limit` is bad."),
    2,
    /^`limit` is bad\.$/m,
  ],
  [
    "an unreadable row",
    problem(503, "record-unreadable", "Newer.", { "retry-after": "60" }),
    4,
    /^Newer\. The app suggests to try again in 60 s\.$/m,
  ],
  [
    "a detail with control characters",
    problem(400, "invalid-request", "bad \u001b[31m"),
    2,
    /bad \\u001b\[31m/,
  ],
])("%s is explained, and the exit code is that of its class", async (_, answer, code, sentence) => {
  const { url } = await serve(() => answer);
  const { status, stdout, stderr } = await keyturn(url, "targets");
  expect({ status, stdout }).toEqual({ status: code, stdout: "" });
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toContain("token=t");
});

test("a request that reads is repeated while the app is busy, with the pause that it names", async () => {
  const { url, requests } = await serve((_, count) =>
    count < 3 ? { status: count === 1 ? 429 : 503, headers: { "retry-after": "0" } } : ok,
  );
  const ok: LoopbackAnswer = { status: 200, json: { targets: [] } };
  expect((await keyturn(url, "targets --json")).status).toBe(0);
  expect(requests).toHaveLength(3);
});

test("a busy app is queried at most four times", async () => {
  const { url, requests } = await serve(() => ({ status: 503, headers: { "retry-after": "0" } }));
  const { status, stderr } = await keyturn(url, "targets");
  expect(status).toBe(4);
  expect(stderr).toContain("busy or is starting (503)");
  expect(requests).toHaveLength(4);
});

test("Writes are repeated with the same idempotency key", async () => {
  const busy = problem(409, "busy", "Many others are writing.", { "retry-after": "0" });
  const { url, requests } = await serve((_, count) =>
    count === 1 ? busy : { status: 202, json: requested },
  );
  expect((await keyturn(url, "rotate orders")).status).toBe(0);
  const keys = requests.map(({ headers }) => headers["idempotency-key"]);
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[\w-]{36}$/);

  const other = await serve(() => busy);
  const { status, stderr } = await keyturn(other.url, "use orders");
  expect(status).toBe(1);
  expect(stderr).toContain("Many others are writing.");
  expect(other.requests.length).toBeGreaterThan(1);
  expect(new Set(other.requests.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
});

test("a closed port, an unknown name and silence are explained", async () => {
  const closed = await listen(createTcpServer());
  await closed.close();
  const refused = await keyturn(`http://127.0.0.1:${closed.port}`, "targets");
  expect(refused).toMatchObject({ status: 4, stdout: "" });
  expect(refused.stderr).toMatch(/^Nothing listens at 127\.0\.0\.1:\d+\. .*npm start/);
  const forbidden = await keyturn("http://127.0.0.1:1", "targets");
  expect(forbidden.stderr).toMatch(/^No HTTP client may use the port of 127\.0\.0\.1:1\. Check/);
  const unknown = await keyturn("https://no-such-host.invalid", "targets", {
    HTTPS_PROXY: "http://proxy.invalid:3128",
  });
  expect(unknown.status).toBe(4);
  expect(unknown.stderr).toMatch(/cannot be resolved.*NODE_USE_ENV_PROXY=1/);
  const silent = await listen(createTcpServer());
  onTestFinished(() => silent.close());
  const late = await keyturn(`http://127.0.0.1:${silent.port}`, "health --request-timeout 300ms");
  expect(late.status).toBe(4);
  expect(late.stderr).toMatch(/did not answer within 0\.3 s\..*--request-timeout/);
});

test("a proxy that refuses a connection is explained", async () => {
  const proxy = createProxy();
  proxy.on("connect", (_, socket) =>
    socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
  );
  const listening = await listen(proxy);
  onTestFinished(() => listening.close());
  const { status, stderr } = await keyturn("https://app.example", "targets", {
    HTTPS_PROXY: `http://127.0.0.1:${listening.port}`,
    NODE_USE_ENV_PROXY: "1",
  });
  expect(status).toBe(4);
  expect(stderr).toMatch(/The proxy refused a connection to app\.example \(407\)/);
});

test("a certificate that is not trusted is refused, and its CA can be trusted", async () => {
  const { ca, cert, key: tlsKey } = await makeCertificate();
  const server = createServer({ cert, key: tlsKey }, (_, response) => {
    response.setHeader("content-type", "application/json").end('{"status":"up"}');
  });
  const listening = await listen(server);
  onTestFinished(() => listening.close());
  const url = `https://localhost:${listening.port}`;
  const distrusted = await keyturn(url, "health");
  expect(distrusted.status).toBe(4);
  expect(distrusted.stderr).toMatch(/is not trusted \(.+\)\. .*NODE_EXTRA_CA_CERTS/);
  const off = await keyturn(url, "health", { NODE_TLS_REJECT_UNAUTHORIZED: "0" });
  expect(off).toMatchObject({ status: 2, stdout: "" });
  const folder = await makeFolder({ "ca.pem": ca });
  const trusted = await keyturn(url, "health", { NODE_EXTRA_CA_CERTS: `${folder}/ca.pem` });
  expect(trusted).toEqual({ status: 0, stdout: "up\n", stderr: "" });
});

test.each([
  ["an address without https", "http://app.example", {}, "KEYTURN_APP must begin with https://."],
  ["something else", "app", {}, "KEYTURN_APP must be the address of an app"],
  ["a key in the address", "https://a.example/?code=secret", {}, "must not have a part after ?"],
  ["a password in the address", "https://u:secret@a.example", {}, "must not contain a user name"],
  ["an app without a key", "https://a.example", { KEYTURN_KEY: "" }, "KEYTURN_KEY is not set"],
  ["a key that is none", "https://a.example", { KEYTURN_KEY: "a b" }, "KEYTURN_KEY contains"],
])("%s is rejected before anything is sent", async (_, url, environment, sentence) => {
  const { status, stdout, stderr } = await keyturn(url, "targets", environment);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain(sentence);
  expect(stderr).not.toContain("secret");
});

test("without an app the message names the ways to choose one", async () => {
  const folder = await makeFolder({});
  const { status, stderr } = await runCommand(["targets"], { folder });
  expect(status).toBe(2);
  expect(stderr).toMatch(/^No app is chosen\. Start the local app with npm start, or .*--app URL/);
});

test("--key-env names another variable, and the key goes into the header alone", async () => {
  const { url, requests } = await serve(() => ({ status: 200, json: { targets: [] } }));
  const other = { OTHER: "another-key-of-the-app" };
  await keyturn("", `targets --json --app ${url}/api/ --key-env OTHER`, other);
  expect(requests[0]?.path).toBe("/api/targets");
  expect(requests[0]?.headers["x-functions-key"]).toBe(other.OTHER);
  expect(requests[0]?.query.toString()).toBe("limit=100");
});

test("every page of a list is read, with the filters", async () => {
  const entry = { ...{ type: "postgresql", health: "healthy", policy: "p" }, tags: {} };
  const { url, requests } = await serve(({ query }) =>
    query.has("cursor")
      ? { status: 200, json: { targets: [{ ...entry, id: "b" }] } }
      : {
          status: 200,
          json: { targets: [{ ...entry, id: "a" }], next: "/api/targets?owner=me&cursor=x" },
        },
  );
  const { stdout } = await keyturn(url, "targets --owner me --overdue --tag team:pay --json");
  expect(stdout.split("\n").map((line) => line.slice(-9))).toEqual(['"id":"a"}', '"id":"b"}', ""]);
  const [first, second] = requests.map(({ query }) => query.toString());
  expect(first).toBe("owner=me&tag=team%3Apay&overdue=true&limit=100");
  expect(second).toBe("owner=me&cursor=x");
});

test("a list that repeats a page ends with an error", async () => {
  const json = { targets: [], next: "/api/targets?cursor=x" };
  const { url, requests } = await serve(() => ({ status: 200, json }));
  expect((await keyturn(url, "targets")).status).toBe(1);
  expect(requests).toHaveLength(2);
});

test("following survives a moment without the app", async () => {
  const base = { rotationId: rotation, targetId: "orders", requestedBy: "me", why: "requested" };
  const at = "2026-01-01T00:00:00.000Z";
  const view = { ...base, cause: "operator", requestedAt: at, policyFingerprint: "f", phases: [] };
  const { url } = await serve((_, count) => {
    if (count === 1) return { status: 200, json: { ...view, state: "running" } };
    return count < 4 ? "hang-up" : { status: 200, json: { ...view, state: "done" } };
  });
  const { status, stdout } = await keyturn(url, `rotation orders ${rotation} --follow --json`);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ state: "done" });
});
