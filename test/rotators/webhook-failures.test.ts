import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { failure } from "../../conformance/errors.ts";
import { listen } from "../../conformance/faults/listening.ts";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { certificateFor, localCertificate } from "../doubles/certificate.ts";
import { optionsFor, startWebhookBench, type WebhookBench } from "../doubles/webhook-endpoint.ts";
import {
  json,
  names,
  operationsAt,
  operationsOf,
  type Responder,
  startServer,
  status,
  unclear,
} from "./webhook-steps.ts";

let bench: WebhookBench;
let caFile: string;
beforeAll(async () => {
  bench = await startWebhookBench();
  caFile = bench.options.tls.caFile ?? "";
});
afterAll(() => bench.stop());

/** Replies that say nothing about what the endpoint has done, and what the error says about them. */
const unclearReplies: readonly (readonly [what: string, respond: Responder, says: string])[] = [
  ["500", status(500), "answered HTTP 500"],
  ["502 of a gateway", status(502), "answered HTTP 502"],
  [
    "503 with a pause",
    status(503, { "retry-after": "30" }),
    "answered HTTP 503 with a pause of 30 s",
  ],
  ["404", status(404), "answered HTTP 404"],
  ["403 of a gateway", status(403), "answered HTTP 403"],
  ["401 of a gateway", status(401), "answered HTTP 401 without the answer `unauthorized`"],
  [
    "401 with another answer",
    json(401, { answer: "refused", message: "x" }),
    "answered HTTP 401 without",
  ],
  ["202", json(202, { answer: "ok" }), "answered HTTP 202"],
  [
    "an answer with status 500",
    json(500, { answer: "refused", message: "x" }),
    "answered HTTP 500",
  ],
  [
    "unauthorized with status 200",
    json(200, { answer: "unauthorized" }),
    "gave no valid answer to",
  ],
  ["an unknown word", json(200, { answer: "fine" }), "gave no valid answer to"],
  ["refused without a message", json(200, { answer: "refused" }), "gave no valid answer to"],
  ["a list", json(200, ["ok"]), "gave no valid answer to"],
  [
    "JSON of another content type",
    (response) => response.writeHead(200, { "content-type": "text/html" }).end(`{"answer":"ok"}`),
    "a content type other than application/json",
  ],
  [
    "JSON without a content type",
    (response) => response.writeHead(200).end(`{"answer":"ok"}`),
    "a content type other than application/json",
  ],
  [
    "a text that is not JSON",
    (response) => response.writeHead(200, { "content-type": "application/json" }).end("ok"),
    "a text that is not JSON",
  ],
  [
    "a compressed body",
    (response) =>
      response
        .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        .end(Buffer.from([31, 139, 8, 0])),
    "a text that is not JSON",
  ],
  [
    "a huge body",
    (response) =>
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(`{"answer":"ok","x":"${"x".repeat(70_000)}"}`),
    "the reply has more than 64 KiB",
  ],
  [
    "a body without an end",
    (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = () =>
        response.write("x".repeat(16_384), (error) => {
          if (!error) more();
        });
      more();
    },
    "the reply has more than 64 KiB",
  ],
  [
    "half a body",
    (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
      response.write(`{"answer":"ok"}`, () => response.destroy());
    },
    "no valid answer, because the connection was",
  ],
  [
    "half a chunked body",
    (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write(`{"answer":"ok"}`, () => response.destroy());
    },
    "no valid answer, because the connection was",
  ],
  [
    "no reply, and a closed line",
    (response) => response.destroy(),
    "no valid answer, because the connection was",
  ],
];

describe.each(names)("%s", (name) => {
  test.each(unclearReplies)("has no known result after %s", async (_what, respond, says) => {
    const operations = await operationsOf(caFile, (request, response) => {
      request.resume().on("end", () => {
        respond(response, request);
      });
    });
    const error = await failure(operations[name]());
    expect(error).toBeInstanceOf(unclear(name));
    expect(error.message).toContain(says);
    expect(error.message).toContain("account app, signed as keyturn");
    expect(error.message).not.toContain("from a gateway");
  });

  test("sends nothing to the address of a redirect", async () => {
    let followed = 0;
    const other = await startServer((_request, response) => {
      followed += 1;
      json(200, { answer: "ok" })(response, _request);
    });
    for (const code of [301, 302, 303, 307, 308]) {
      const operations = await operationsOf(caFile, (request, response) => {
        status(code, { location: `https://localhost:${other.port}/` })(response, request);
      });
      const error = await failure(operations[name]());
      expect(error).toBeInstanceOf(unclear(name));
      expect(error.message).toContain("write the final address in options.url");
    }
    expect(followed).toBe(0);
  });

  test("does not wait longer than its deadline for a slow endpoint", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const listening = await startServer((request) => {
      request.resume().on("end", () => {
        resolve(undefined);
      });
    });
    const controller = new AbortController();
    void promise.then(() => {
      controller.abort();
    });
    const operations = operationsAt(optionsFor(listening.port, caFile), controller.signal);
    const error = await failure(operations[name]());
    expect(error).toBeInstanceOf(unclear(name));
    expect(error.message).toContain("timed out");
    await expect.poll(() => listening.connections.open).toBe(0);
  });

  test("has no known result when the server does not speak HTTP", async () => {
    const certificate = await localCertificate();
    const listening = await listen(
      createTlsServer({ ...certificate }, (socket) => {
        socket.on("error", () => undefined).on("data", () => socket.end("+OK ready\r\n"));
      }),
    );
    onTestFinished(() => listening.close());
    const error = await failure(operationsAt(optionsFor(listening.port, caFile))[name]());
    expect(error).toBeInstanceOf(unclear(name));
  });

  test.each([
    ["is for another name", () => certificateFor("other.example")],
    ["is from another authority", () => certificateFor("localhost", "127.0.0.1", "other.example")],
  ])("sends nothing when the certificate %s", async (_what, make) => {
    const certificate = await make();
    let received = 0;
    const server = createTlsServer({ ...certificate }, (socket) => {
      socket.on("error", () => undefined).on("data", () => (received += 1));
    });
    const listening = await listen(server);
    onTestFinished(() => listening.close());
    const error = await failure(operationsAt(optionsFor(listening.port, caFile))[name]());
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("certificate");
    expect(received).toBe(0);
  });

  test("was certainly not carried out after 429", async () => {
    const operations = await operationsOf(caFile, (request, response) => {
      status(429, { "retry-after": "7" })(response, request);
    });
    const error = await failure(operations[name]());
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toContain("answered HTTP 429 with a pause of 7 s");
  });

  test("shows no Retry-After that is not a number of seconds", async () => {
    const operations = await operationsOf(caFile, (request, response) => {
      status(429, { "retry-after": "Fri, 31 Dec 2027 23:59:59 GMT" })(response, request);
    });
    expect((await failure(operations[name]())).message).toMatch(/answered HTTP 429$/);
  });

  test("was certainly not carried out when the system was unavailable", async () => {
    const operations = await operationsOf(caFile, (request, response) => {
      json(200, { answer: "unavailable", message: "the CRM is down" })(response, request);
    });
    const error = await failure(operations[name]());
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error.message).toMatch(/the endpoint cannot reach the system: the CRM is down$/);
  });
});
