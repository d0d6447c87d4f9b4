import { afterAll, beforeAll, expect, test } from "vitest";
import { type HostedFixture, hostFixture } from "./hosted-fixture.ts";

let host: HostedFixture;
beforeAll(async () => {
  host = await hostFixture({ main: "functions/streams.ts", maximumBody: 1_000 });
});
afterAll(() => host.close());

test("An answer arrives piece by piece, as the function makes it", async () => {
  const response = await fetch(`${host.url}/api/ticks/4`);
  expect(response.headers.get("content-type")).toBe("text/plain");
  const arrivals: number[] = [];
  let text = "";
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    arrivals.push(performance.now());
    text += Buffer.from(chunk).toString();
  }
  expect(text).toBe("tick 1\ntick 2\ntick 3\ntick 4\n");
  expect(arrivals.length).toBeGreaterThan(1);
  expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(60);
});

test("A function learns that its client has left", async () => {
  const leaving = new AbortController();
  const response = await fetch(`${host.url}/api/ticks/100000`, { signal: leaving.signal });
  const reader = response.body?.getReader();
  await reader?.read();
  leaving.abort();
  await host.heard("ticks", "left");
});

test("A body arrives with and without a length, with headers and query", async () => {
  const url = `${host.url}/api/streamed-echo?a=1&b=%20x`;
  const expected = { query: { a: "1", b: " x" }, header: "yes", body: "h\u00e4llo" };
  const headers = { "x-given": "yes" };
  const plain = await fetch(url, { method: "POST", headers, body: "h\u00e4llo" });
  expect([plain.status, await plain.json()]).toEqual([201, expected]);
  const chunks = ReadableStream.from([Buffer.from("h\u00e4"), Buffer.from("llo")]);
  const init = { method: "POST", headers, body: chunks, duplex: "half" };
  const chunked = await fetch(url, init as RequestInit);
  expect([chunked.status, await chunked.json()]).toEqual([201, expected]);
});

test("A function that throws answers 500 without the reason, and one without a body 204", async () => {
  const failed = await fetch(`${host.url}/api/streamed-failure`);
  expect([failed.status, await failed.text()]).toEqual([500, ""]);
  const nothing = await fetch(`${host.url}/api/streamed-nothing`);
  expect([nothing.status, await nothing.text()]).toEqual([204, ""]);
});

test("A forged invocation id reaches no other invocation", async () => {
  const headers = { "x-ms-invocation-id": "forged" };
  const response = await fetch(`${host.url}/api/ticks/1`, { headers });
  expect(await response.text()).toBe("tick 1\n");
});

test("A host that closes cuts streams of events, and lets other answers end", async () => {
  const [events, answer] = await Promise.all([
    fetch(`${host.url}/api/endless-events`),
    fetch(`${host.url}/api/ticks/20`),
  ]);
  const [cut, text] = await Promise.allSettled([events.text(), answer.text(), host.close()]);
  expect(cut.status).toBe("rejected");
  const lines = Array.from({ length: 20 }, (_, at) => `tick ${at + 1}\n`);
  expect(text).toEqual({ status: "fulfilled", value: lines.join("") });
});
