import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HostedFixture, hostFixture } from "./hosted-fixture.ts";

let host: HostedFixture;
const call = (route: string, init: RequestInit = {}) => fetch(`${host.url}/${route}`, init);
const withKey = (key: string | undefined, init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { ...(init.headers as Record<string, string>), "x-functions-key": key ?? "" },
});

beforeAll(async () => {
  host = await hostFixture({ main: "functions/http.ts", maximumBody: 1_000 });
});
afterAll(() => host.close());

describe("An HTTP function", () => {
  test("receives method, parameters, query, headers, body and trace, and decides the answer", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const response = await call("api/echo/caf%C3%A9%2Fau%20lait/more?a=1&b=%20x", {
      ...withKey(host.keys.default, {
        method: "POST",
        body: "hällo",
        headers: { "x-given": "yes", traceparent },
      }),
    });
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("x-id")).toMatch(/^[\da-f-]{36}$/);
    expect(await response.json()).toEqual({
      method: "POST",
      url: `${host.url}/api/echo/caf%C3%A9%2Fau%20lait/more?a=1&b=%20x`,
      params: { id: "café/au lait", detail: "more" },
      query: { a: "1", b: " x" },
      header: "yes",
      body: "hällo",
      trace: traceparent,
    });
  });

  test("leaves out an optional parameter that is not in the path", async () => {
    const response = await call("api/echo/7", withKey(host.keys.default));
    expect(await response.json()).toMatchObject({ params: { id: "7" }, body: "" });
  });

  test("is chosen by the literal route before one with a parameter", async () => {
    const response = await call("API/Echo/Special", withKey(host.keys.default));
    expect(await response.text()).toBe("special");
  });

  test("answers with bytes and with cookies", async () => {
    const response = await call("api/open");
    expect(response.status).toBe(200);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 1]);
    expect(response.headers.getSetCookie()).toEqual([
      "a=1%202; max-age=60; path=/; samesite=strict; httponly",
      "b=2; secure",
    ]);
  });

  test("answers 204 when it returns nothing", async () => {
    const response = await call("api/says-nothing", withKey(host.keys.default, { method: "POST" }));
    expect(response.status).toBe(204);
  });

  test("answers an empty 500 when it throws, and the log has the reason", async () => {
    const response = await call("api/fails", withKey(host.keys.default, { method: "POST" }));
    expect(response.status).toBe(500);
    expect(await response.text()).toBe("");
    const failed = host.records.find(({ message }) => message.includes("for the log"));
    expect(failed).toMatchObject({ level: "error", category: "host", functionName: "fails" });
  });
});

describe("The HTTP server", () => {
  test.each([
    ["an unknown path", "api/nothing-here", "GET"],
    ["the route without its prefix", "open", "GET"],
    ["a method that no function takes", "api/open", "DELETE"],
    ["a path with broken escapes", "api/echo/%zz", "GET"],
  ])("answers 404 to %s", async (_, route, method) => {
    expect((await call(route, withKey(host.keys.master, { method }))).status).toBe(404);
  });

  test("accepts a body of the maximum length and answers 413 to a longer one", async () => {
    const post = (length: number) =>
      call("api/echo/1", withKey(host.keys.default, { method: "POST", body: "x".repeat(length) }));
    expect((await post(1_000)).status).toBe(201);
    expect((await post(1_001)).status).toBe(413);
    expect((await post(3_000_000)).status).toBe(413);
  });

  test("accepts a long path and answers 414 to one that Azure would refuse", async () => {
    const id = "x".repeat(7_000);
    const response = await call(`api/echo/${id}`, withKey(host.keys.default));
    expect(await response.json()).toMatchObject({ params: { id } });
    expect((await call(`api/echo/${"x".repeat(8_200)}`)).status).toBe(414);
  });
});

describe("Access keys", () => {
  test.each([
    ["no key", () => undefined, 401],
    ["a wrong key", () => "wrong", 401],
    ["another function's key", () => host.keys.functions["fails"], 401],
    ["the webhook's key", () => host.keys.eventgrid_extension, 401],
    ["its own key", () => host.keys.functions["echo"], 201],
    ["the default key", () => host.keys.default, 201],
    ["the master key", () => host.keys.master, 201],
  ])("with %s, a function of level function gives the expected answer", async (_, key, status) => {
    const given = key();
    const query = given === undefined ? "" : `?code=${encodeURIComponent(given)}`;
    expect((await call(`api/echo/1${query}`)).status).toBe(status);
    if (given !== undefined) {
      expect((await call("api/echo/1", withKey(given))).status).toBe(status);
    }
  });

  test("the header wins over the query", async () => {
    const query = `?code=${encodeURIComponent(host.keys.default)}`;
    expect((await call(`api/echo/1${query}`, withKey("wrong"))).status).toBe(401);
  });

  test("only the master key opens a function of level admin", async () => {
    expect((await call("api/owner-only", withKey(host.keys.default))).status).toBe(401);
    expect((await call("api/owner-only", withKey(host.keys.functions["owner-only"]))).status).toBe(
      401,
    );
    expect((await call("api/owner-only", withKey(host.keys.master))).status).toBe(200);
  });

  test("outlast the host in a file that only its owner can read", async () => {
    const keysFile = path.join(await mkdtemp(path.join(tmpdir(), "keys-")), "deep", "keys.json");
    const options = { main: "functions/http.ts", keysFile };
    const first = await hostFixture(options);
    await first.close();
    const second = await hostFixture(options);
    await second.close();
    expect(second.keys).toEqual(first.keys);
    expect(first.keys.default).not.toBe(host.keys.default);
    expect((await stat(keysFile)).mode & 0o777).toBe(0o600);
    const logged = JSON.stringify([...first.records, ...host.records]);
    const secrets = [first.keys.master, host.keys.default, host.keys.eventgrid_extension];
    for (const secret of secrets) expect(logged).not.toContain(secret);
  });

  test("are not made anew over a file that cannot be understood", async () => {
    const keysFile = path.join(await mkdtemp(path.join(tmpdir(), "keys-")), "keys.json");
    await writeFile(keysFile, '{"master":"mine"}');
    await expect(hostFixture({ main: "functions/http.ts", keysFile })).rejects.toThrow(
      /does not contain access keys/,
    );
    expect(await readFile(keysFile, "utf8")).toBe('{"master":"mine"}');
  });
});

describe("The admin addresses", () => {
  test("show the host's state only to a caller with the master key", async () => {
    const response = await call("admin/host/status", withKey(host.keys.master));
    expect(await response.json()).toMatchObject({ state: "Running" });
    expect((await call("admin/host/status", withKey(host.keys.default))).status).toBe(401);
  });

  test("do not start unknown functions or HTTP functions", async () => {
    const start = (name: string, key: string) =>
      call(`admin/functions/${name}`, withKey(key, { method: "POST", body: "{}" }));
    expect((await start("nobody", host.keys.master)).status).toBe(404);
    expect((await start("echo", host.keys.master)).status).toBe(400);
    expect((await start("echo", host.keys.default)).status).toBe(401);
  });
});

describe("The list of functions", () => {
  test("says where each can be called", () => {
    expect(host.functions.find(({ name }) => name === "echo")).toEqual({
      name: "echo",
      trigger: "httpTrigger",
      url: `${host.url}/api/echo/{id}/{detail?}`,
      methods: ["GET", "POST"],
      authLevel: "function",
    });
    const line = `echo: httpTrigger [GET,POST] ${host.url}/api/echo/{id}/{detail?}`;
    expect(host.records.map(({ message }) => message)).toContain(line);
  });
});

describe("Closing", () => {
  test("lets the current request end, and accepts no other", async () => {
    const other = await hostFixture({ main: "functions/http.ts" });
    const answer = fetch(`${other.url}/api/slow`);
    await other.heard("slow", "slow begins");
    const closed = other.close();
    expect(await (await answer).text()).toBe("finished");
    await closed;
    await expect(fetch(`${other.url}/api/slow`)).rejects.toThrow();
  });

  test("leaves a function behind that outstays the limit", async () => {
    const other = await hostFixture({ main: "functions/http.ts", closeLimitMs: 50 });
    const answer = fetch(`${other.url}/api/slow`);
    await other.heard("slow", "slow begins");
    await Promise.all([other.close(), expect(answer).rejects.toThrow()]);
    expect(other.records.at(-1)).toMatchObject({ level: "warning", category: "host" });
  });
});
