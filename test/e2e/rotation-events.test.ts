import { createParser } from "eventsource-parser";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunView } from "../../shared/core/views.ts";
import { startRotatedSingles } from "./world/rotated-singles.ts";
import type { World } from "./world/world.ts";

const until = new Date(Date.now() + 2 * 86_400_000).toISOString();

let world: World;
beforeAll(async () => {
  world = await startRotatedSingles(["one", "waiting"]);
});
afterAll(() => world.close());

interface Heard {
  readonly id: string;
  readonly event: string;
  readonly rotation: RunView;
}

/** Opens a stream like a browser, and reads its events as they come. */
async function listen(path: string, headers: Record<string, string> = {}) {
  const { default: key } = await world.keys();
  const stop = new AbortController();
  const response = await fetch(`${world.host().url}${path}`, {
    headers: { "x-functions-key": key, ...headers },
    signal: stop.signal,
  });
  async function* events(): AsyncGenerator<Heard, undefined> {
    const found: Heard[] = [];
    const parser = createParser({
      onEvent: ({ id = "", event = "", data }) => {
        found.push({ id, event, rotation: JSON.parse(data) as RunView });
      },
    });
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      parser.feed(Buffer.from(chunk).toString());
      yield* found.splice(0);
    }
    return undefined;
  }
  const leave = () => {
    stop.abort();
  };
  return { response, events: events(), leave };
}

async function collect(events: AsyncIterable<Heard>): Promise<Heard[]> {
  const all: Heard[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test("The events of a rotation are its state whenever it changes, to the end, and can be resumed", async () => {
  const path = await world.api.rotate("one");
  const { response, events } = await listen(`${path}/events`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const heard = await collect(events);
  const last = heard.at(-1);
  expect(heard.slice(0, -1).every(({ event }) => event === "progress")).toBe(true);
  expect(last).toMatchObject({ event: "end", rotation: { state: "done" } });
  expect(last?.rotation).toEqual(JSON.parse((await world.api.send("GET", path)).text));
  expect(new Set(heard.map(({ id }) => id)).size).toBe(heard.length);

  // A client that has missed some events gets what is true now.
  const older = `${last?.rotation.rotationId ?? ""}.0123456789abcdef`;
  const resumed = await listen(`${path}/events`, { "last-event-id": older });
  expect(await collect(resumed.events)).toEqual([last]);
  // A client that has the last event must not connect again.
  const again = await listen(`${path}/events`, { "last-event-id": last?.id ?? "" });
  expect(again.response.status).toBe(204);
});

test("A rotation that waits is followed in the middle: an event comes only when something has changed", async () => {
  const reason = "move of the server";
  await world.api.post("/api/targets/waiting/pause", { reason, until });
  const path = await world.api.rotate("waiting");
  const first = await listen(`${path}/events`);
  const { value: queued } = await first.events.next();
  expect(queued).toMatchObject({ event: "progress", rotation: { state: "queued" } });
  first.leave();
  const second = await listen(`${path}/events`, { "last-event-id": queued?.id ?? "" });
  const rest = collect(second.events);
  await world.api.post("/api/targets/waiting/resume");
  const heard = await rest;
  expect(heard.map(({ id }) => id)).not.toContain(queued?.id);
  expect(heard.at(-1)).toMatchObject({ event: "end", rotation: { state: "done" } });
});

test.each([
  ["forged", "1; DROP TABLE rotations"],
  ["of another rotation", "01ARZ3NDEKTSV4RRFFQ69G5FAV.0123456789abcdef"],
  ["too long", "x".repeat(5_000)],
  ["empty", ""],
])("A Last-Event-ID that is %s is refused with 400", async (_what, id) => {
  const path = await world.api.rotate("one");
  const answer = await world.api.send("GET", `${path}/events`, {
    headers: { "last-event-id": id },
  });
  expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("Last-Event-ID")]);
  await world.api.ended(path);
});

test("A rotation that does not exist has no events", async () => {
  const path = "/api/targets/one/rotations/01ARZ3NDEKTSV4RRFFQ69G5FAV/events";
  expect((await world.api.send("GET", path)).status).toBe(404);
});

test("The sixth client must poll, and a client that leaves makes room", async () => {
  await world.api.post("/api/targets/one/pause", { reason: "a test", until });
  const path = `${await world.api.rotate("one")}/events`;
  const streams = await Promise.all(Array.from({ length: 5 }, () => listen(path)));
  for (const { events } of streams) await events.next();
  const sixth = await world.api.send("GET", path);
  expect(sixth.status).toBe(503);
  expect(sixth.headers.get("retry-after")).toBe("5");
  expect(JSON.parse(sixth.text)).toMatchObject({
    type: "urn:problem-type:keyturn:too-many-streams",
  });
  streams[0]?.leave();
  await expect
    .poll(
      async () => {
        const more = await listen(path);
        streams.push(more);
        return more.response.status;
      },
      { timeout: 10_000 },
    )
    .toBe(200);
  for (const { leave } of streams) leave();
  await world.api.post("/api/targets/one/resume");
});
