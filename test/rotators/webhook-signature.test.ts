import { createServer, request } from "node:https";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { failure } from "../../conformance/errors.ts";
import { listen, type Listening } from "../../conformance/faults/listening.ts";
import {
  AuthorityRefusedError,
  ConfigError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { verifySignature } from "../../shared/core/secrets/signature.ts";
import { minute, toInstant } from "../../shared/core/time.ts";
import { makeWebhook } from "../../shared/rotators/webhook/webhook.ts";
import { requestSchema } from "../../shared/rotators/webhook/webhook-protocol.ts";
import { localCertificate } from "../doubles/certificate.ts";
import {
  admin,
  apply,
  checker,
  startWebhookBench,
  type WebhookBench,
} from "../doubles/webhook-endpoint.ts";

const next = { account: "app", secret: new Secret("N3w~secret-of-the-account") };
const using = { as: "admin", credential: admin } as const;
const patience = () => AbortSignal.timeout(20_000);

/** A request as it was received. */
interface Received {
  readonly path: string | undefined;
  readonly signature: string;
  readonly headers: object;
  readonly body: string;
}

let bench: WebhookBench;
let recorder: Listening;
let received: Received[] = [];
let ca: string;

beforeAll(async () => {
  bench = await startWebhookBench();
  const certificate = await localCertificate();
  ca = certificate.cert;
  recorder = await listen(
    createServer({ ...certificate }, (asked, response) => {
      void text(asked).then((body) => {
        const { url: path, headers } = asked;
        const signature = String(headers["keyturn-signature"]);
        received.push({ path, signature, headers, body });
        response.writeHead(200, { "content-type": "application/json" }).end(`{"answer":"ok"}`);
      });
    }),
  );
});
beforeEach(() => {
  received = [];
  bench.accounts.set("app", "the-secret-before");
});
afterAll(async () => {
  await recorder.close();
  await bench.stop();
});

/** A change as Keyturn sends it at `now`, without a reply from the reference server. */
async function record(now = new Date()): Promise<Received> {
  const options = bench.optionsAt(recorder.port);
  const ids = { targetId: "crm", rotationId: "01JNN0000000000000000000AA" };
  await apply(
    makeWebhook(() => now),
    { options, next, using, ...ids },
    patience(),
  );
  const [only] = received;
  if (!only || received.length > 1) throw new Error("expected one request");
  return only;
}

/** Sends a request to the reference server. Returns the status and the body of the reply. */
function send({
  signature,
  body,
}: Pick<Received, "signature" | "body">): Promise<readonly [number, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly [number, string]>();
  const headers = { "keyturn-signature": signature, "content-length": Buffer.byteLength(body) };
  request(bench.options.url, { method: "POST", ca, headers, agent: false }, (response) => {
    text(response).then((answer) => {
      resolve([response.statusCode ?? 0, answer]);
    }, reject);
  })
    .on("error", reject)
    .end(body);
  return promise;
}

const unauthorized = [401, `{"answer":"unauthorized"}`];
const isUnchanged = () => bench.accounts.logsIn("app", "the-secret-before");

test("a request is a POST to the path of the address, with the ids of target and rotation, in the schema of the protocol", async () => {
  const { path, body, headers } = await record();
  expect(path).toBe("/keyturn");
  expect(headers).toMatchObject({
    "content-type": "application/json",
    "accept-encoding": "identity",
  });
  expect(requestSchema.parse(JSON.parse(body))).toEqual({
    version: 1,
    request: expect.any(String) as string,
    operation: "apply",
    target: "crm",
    rotation: "01JNN0000000000000000000AA",
    account: "app",
    secret: next.secret.reveal(),
  });
});

test("the secret is in the body only, and the key in no part of the request", async () => {
  const { path, headers, body } = await record();
  expect(JSON.stringify([path, headers])).not.toContain(next.secret.reveal());
  expect(JSON.stringify([path, headers, body])).not.toContain(admin.secret.reveal());
});

test("a request has the signature of every webhook of Keyturn", async () => {
  const { signature: header, body } = await record();
  const now = toInstant(new Date());
  expect(verifySignature({ header, body, keys: [admin.secret], now })).toBe(true);
  expect(verifySignature({ header, body: `${body} `, keys: [admin.secret], now })).toBe(false);
});

test("the reference server carries out a signed request once", async () => {
  const recorded = await record();
  expect(await send(recorded)).toEqual([200, `{"answer":"ok"}`]);
  expect(isUnchanged()).toBe(false);
  bench.accounts.set("app", "the-secret-before");
  expect(await send(recorded)).toEqual(unauthorized);
  expect(isUnchanged()).toBe(true);
});

test("a repeated call of Keyturn is a new request, and succeeds", async () => {
  const rotator = makeWebhook();
  const { options } = bench;
  for (let time = 1; time <= 2; time++) await apply(rotator, { options, next, using }, patience());
  expect(bench.accounts.logsIn("app", next.secret.reveal())).toBe(true);
  await record();
  await apply(makeWebhook(), { options: bench.optionsAt(recorder.port), next, using }, patience());
  const ids = received.map(
    ({ body }) => z.object({ request: z.uuid() }).parse(JSON.parse(body)).request,
  );
  expect(new Set(ids).size).toBe(2);
});

describe("the reference server does nothing for a request", () => {
  test.each([
    ["without a signature", ({ body }: Received) => ({ signature: "", body })],
    [
      "with a changed body",
      ({ signature, body }: Received) => ({ signature, body: body.replace(`"app"`, `"app2"`) }),
    ],
    [
      "with a changed time",
      ({ signature, body }: Received) => ({
        signature: signature.replace(/^t=\d+/, (t) => `t=${Number(t.slice(2)) + 1}`),
        body,
      }),
    ],
    [
      "with half a signature",
      ({ signature, body }: Received) => ({ signature: signature.slice(0, -32), body }),
    ],
    [
      "with an empty signature",
      ({ signature, body }: Received) => ({ signature: signature.replace(/v1=.*/, "v1="), body }),
    ],
    [
      "without a time",
      ({ signature, body }: Received) => ({ signature: signature.replace(/^t=\d+,/, ""), body }),
    ],
  ])("%s", async (_what, spoil) => {
    expect(await send(spoil(await record()))).toEqual(unauthorized);
    expect(isUnchanged()).toBe(true);
  });

  test.each([
    ["of six minutes ago", -6],
    ["of six minutes in the future", 6],
  ])("%s", async (_what, minutes) => {
    expect(await send(await record(new Date(Date.now() + minutes * minute)))).toEqual(unauthorized);
    expect(isUnchanged()).toBe(true);
  });

  test("that is longer than it accepts", async () => {
    const { signature, body } = await record();
    expect((await send({ signature, body: body + " ".repeat(70_000) }))[0]).toBe(413);
  });
});

describe.each([
  ["another key", { account: "keyturn", secret: new Secret("an0ther-key-of-enough-length") }, 0],
  ["the right key and a clock six minutes behind", admin, -6],
])("with %s", (_what, credential, minutes) => {
  const wrong = { as: "admin", credential } as const;
  const rotator = makeWebhook(() => new Date(Date.now() + minutes * minute));

  test("a change and a list of sessions are refused as those of the authority, and nothing changes", async () => {
    const { options } = bench;
    const calls = [
      () => apply(rotator, { options, next, using: wrong }, patience()),
      async () => rotator.retire?.({ options, account: "app", using: wrong }, patience()),
      async () => rotator.hasSessions?.({ options, account: "app", using: wrong }, patience()),
    ];
    for (const call of calls) {
      const error = await failure(call());
      expect(error).toBeInstanceOf(AuthorityRefusedError);
      expect(error.message).toContain(
        "signed as keyturn: the endpoint refused the signature. Store the key",
      );
    }
    expect(isUnchanged()).toBe(true);
  });

  test("an examination says that the authority is refused, and a log-in proves nothing about the account", async () => {
    const { options } = bench;
    const examine = { options, account: "app", using: wrong, isProven: false };
    expect(await rotator.examine?.(examine, patience())).toBe("rejected");
    const error = await failure(
      rotator.verify({ options, credential: next, admin: credential }, patience()),
    );
    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(await rotator.verify({ options, credential, as: "admin" }, patience())).toBe("rejected");
  });
});

test("the log-in of an admin is the acceptance of its signature, also if it may change nothing", async () => {
  const { options } = bench;
  for (const credential of [admin, checker]) {
    expect(await makeWebhook().verify({ options, credential, as: "admin" }, patience())).toBe(
      "accepted",
    );
  }
});

test("a key that could be guessed, an account that changes itself and a log-in without a key send nothing", async () => {
  const before = bench.requests;
  const { options } = bench;
  const short = { account: "keyturn", secret: new Secret("15-characters--") };
  const rotator = makeWebhook();
  const calls = [
    apply(rotator, { options, next, using: { as: "admin", credential: short } }, patience()),
    apply(rotator, { options, next, using: { as: "self", credential: next } }, patience()),
    rotator.verify({ options, credential: next }, patience()),
  ];
  for (const call of calls) expect(await failure(call)).toBeInstanceOf(ConfigError);
  expect(bench.requests).toBe(before);
});
