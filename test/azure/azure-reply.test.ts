import { describe, expect, it, test } from "vitest";
import { listErrorCodes, readFailure, readReply } from "../../shared/azure/azure-reply.ts";

const now = Date.parse("2026-03-01T12:00:00Z");

function read(status: number, body: object | string = "", headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readReply(status, { get: (name) => headers[name] }, text, now);
}

describe("an answer", () => {
  it.each([
    ["a success with a body", 200, { id: "x" }, "azure"],
    ["a success without a body", 204, "", "azure"],
    ["an accepted change", 202, "", "azure"],
    ["a page with a success", 200, "<html>Sign in</html>", "gateway"],
    ["an error with a code", 404, { error: { code: "ResourceNotFound", message: "" } }, "azure"],
    ["an error without the field error", 409, { code: "Conflict", message: "" }, "azure"],
    ["a page with an error", 404, "<html>Not found</html>", "gateway"],
    ["an empty error", 502, "", "gateway"],
    ["an error with no code", 500, { error: "x" }, "gateway"],
    ["a redirect, which Azure never sends", 302, { error: { code: "Moved" } }, "gateway"],
  ])("is attributed: %s", (_, status, body, by) => {
    expect(read(status, body)).toMatchObject({ by, status });
  });

  it("has the time of the service, and no time if the header cannot be read", () => {
    const date = "Sun, 01 Mar 2026 11:59:58 GMT";
    expect(read(200, "", { date })).toMatchObject({ headers: { date: now - 2000 } });
    expect(read(200, "", { date: "yesterday" })).toMatchObject({ headers: {} });
  });

  it.each([
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "Sun, 01 Mar 2026 12:00:05 GMT" }, 5000],
    [{ "retry-after": "Sun, 01 Mar 2026 11:00:00 GMT" }, 0],
    [{ "x-ms-retry-after-ms": "250" }, 250],
    [{ "retry-after-ms": "40", "retry-after": "9" }, 40],
  ])("has a delay in milliseconds: %j", (headers, retryAfter) => {
    expect(read(429, "", headers)).toMatchObject({ headers: { retryAfter } });
  });

  it.each([{ "retry-after": "soon" }, { "retry-after": "-4" }, {}])(
    "has no delay: %j",
    (headers) => {
      expect(read(429, "", headers)).toMatchObject({ headers: {} });
      const reply = read(429, "", headers);
      expect(reply.by === "gateway" && reply.headers.retryAfter).toBeUndefined();
    },
  );

  it("names where an operation goes on", () => {
    const headers = { "azure-asyncoperation": "https://a/b", location: "https://a/c" };
    expect(read(202, "", headers)).toMatchObject({
      headers: { operation: "https://a/b", location: "https://a/c" },
    });
    expect(read(202, "", { "operation-location": "https://a/d" })).toMatchObject({
      headers: { operation: "https://a/d" },
    });
  });
});

test("error codes are listed from the outside in", () => {
  const body = {
    error: {
      code: "DeploymentFailed",
      details: [{ code: "Conflict", innererror: { code: "ServerIsBusy" } }, { message: "x" }],
      innerError: { code: "Last" },
    },
  };
  expect(listErrorCodes(body)).toEqual(["DeploymentFailed", "Conflict", "ServerIsBusy", "Last"]);
});

test("an error that contains itself many times is read to a limited depth", () => {
  let error: object = { code: "deepest" };
  for (let depth = 0; depth < 1000; depth++) error = { code: "x", innererror: error };
  expect(listErrorCodes({ error })).toEqual(["x", "x", "x", "x", "x"]);
});

describe("a failure without an answer", () => {
  const failed = (code: string) => Object.assign(new Error("secret"), { code });

  it.each([
    ["ECONNREFUSED", false],
    ["ENOTFOUND", false],
    ["EAI_AGAIN", false],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", false],
    ["SELF_SIGNED_CERT_IN_CHAIN", false],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", false],
    ["CERT_HAS_EXPIRED", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", false],
    ["ECONNRESET", true],
    ["ETIMEDOUT", true],
    ["EPIPE", true],
    ["PARSE_ERROR", true],
  ])("with the code %s: the request may have arrived is %s", (code, sent) => {
    expect(readFailure(failed(code), true)).toEqual({ by: "nobody", why: "lost", code, sent });
  });

  it("was never sent if it was not handed to the network", () => {
    expect(readFailure(failed("ECONNRESET"), false)).toMatchObject({ sent: false });
  });

  it("is a time-out if the call was cancelled", () => {
    const error = new DOMException("x", "AbortError");
    expect(readFailure(error, true)).toEqual({ by: "nobody", why: "timed-out", sent: true });
  });
});
