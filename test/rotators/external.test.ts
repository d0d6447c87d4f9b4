import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listen, type Listening } from "../../conformance/faults/listening.ts";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { external } from "../../shared/rotators/external/external.ts";
import { externalOptions } from "../../shared/rotators/external/external-options.ts";
import { localCertificate } from "../doubles/certificate.ts";

const value = "a-value-of-the-vendor";
const seen: { method: string | undefined; url: string | undefined; header: unknown }[] = [];
let answer: (status: number | "reset" | "silence") => void;
let given: number | "reset" | "silence" = 200;
let server: Listening;
let folder: string;
let caFile: string;

beforeAll(async () => {
  const { key, cert } = await localCertificate();
  folder = await mkdtemp(join(tmpdir(), "keyturn-external-"));
  caFile = join(folder, "ca.pem");
  await writeFile(caFile, cert);
  answer = (status) => {
    given = status;
  };
  server = await listen(
    createServer({ key, cert }, (request, response) => {
      const { method, url, headers } = request;
      seen.push({ method, url, header: headers["x-api-key"] ?? headers.authorization });
      if (given === "reset") request.socket.destroy();
      else if (given !== "silence") response.writeHead(given, { location: "/other" }).end("body");
    }),
  );
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  seen.length = 0;
  answer(200);
});

function verify(probe: object = {}, secret = value, within = 5000) {
  const options = externalOptions.parse({
    host: "api.vendor.example",
    probe: { url: `https://localhost:${server.port}/ping?a=b`, tls: { caFile }, ...probe },
  });
  const credential = { account: "customer", secret: new Secret(secret) };
  return external.verify({ options, credential }, AbortSignal.timeout(within));
}

describe("the probe of an external value", () => {
  test("is one request with the value in the header", async () => {
    expect(await verify({ prefix: "Bearer " })).toBe("accepted");
    expect(seen).toEqual([{ method: "GET", url: "/ping?a=b", header: `Bearer ${value}` }]);
  });

  test("uses the header, the method and the statuses of the options", async () => {
    answer(418);
    const probe = { method: "HEAD", header: "X-Api-Key", accepted: [204], refused: [418] };
    expect(await verify(probe)).toBe("rejected");
    expect(seen).toEqual([{ method: "HEAD", url: "/ping?a=b", header: value }]);
  });

  test.each([401, 403])("refuses the value with status %i", async (status) => {
    answer(status);
    expect(await verify()).toBe("rejected");
  });

  test.each([302, 404, 429, 500, 503])(
    "says nothing about the value with status %i, and follows no redirect",
    async (status) => {
      answer(status);
      await expect(verify()).rejects.toThrow(TargetUnavailableError);
      await expect(verify()).rejects.toThrow(`status ${status} says nothing about the value`);
      expect(seen).toHaveLength(2);
    },
  );

  test.each(["reset", "silence"] as const)("says nothing if the line ends in %s", async (how) => {
    answer(how);
    const failed = verify({}, value, 500);
    await expect(failed).rejects.toThrow(TargetUnavailableError);
  });

  test("goes to no server whose certificate is not trusted", async () => {
    const failed = verify({ tls: {} });
    await expect(failed).rejects.toThrow(TargetUnavailableError);
    expect(seen).toEqual([]);
  });

  test("shows the value in no error", async () => {
    for (const how of [500, "reset"] as const) {
      answer(how);
      const error: unknown = await verify().catch((thrown: unknown) => thrown);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(value);
    }
  });
});

test("Without a probe every value counts as valid, and a note says so", async () => {
  const options = externalOptions.parse({ host: "api.vendor.example" });
  const credential = { account: "customer", secret: new Secret(value) };
  const notes: string[] = [];
  const note = (sentence: string) => notes.push(sentence);
  const check = { options, credential, note };
  expect(await external.verify(check, AbortSignal.timeout(1000))).toBe("accepted");
  expect(notes).toEqual([
    "Nobody can prove a value of api.vendor.example, so Keyturn takes it as valid. Set options.probe to check it.",
  ]);
});

test.each([
  ["http", { url: "http://api.vendor.example/ping" }],
  ["a user name", { url: "https://me@api.vendor.example/ping" }],
  ["a header of the request itself", { url: "https://a.example", header: "Host" }],
  ["a header with a line break", { url: "https://a.example", header: "x\r\ny" }],
  ["a prefix with a line break", { url: "https://a.example", prefix: "x\r\ny: " }],
  ["the same status twice", { url: "https://a.example", accepted: [200], refused: [200] }],
])("A probe with %s is refused", (_, probe) => {
  const parsed = externalOptions.safeParse({ host: "api.vendor.example", probe });
  expect(parsed.success).toBe(false);
});

test.each(["with\r\nbreak", "ünicode", " spaces "])(
  "A value that no header can carry is refused: %j",
  (text) => {
    expect(external.findUnfit?.(new Secret(text))).toContain("printable ASCII");
  },
);
