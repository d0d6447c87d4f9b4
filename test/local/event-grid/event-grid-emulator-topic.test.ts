import { AzureKeyCredential, EventGridPublisherClient } from "@azure/eventgrid";
import { expect, onTestFinished, test } from "vitest";
import {
  type EventGridEmulatorOptions,
  startEventGridEmulator,
} from "../../../local/event-grid/emulator.ts";

async function startTopic(options: EventGridEmulatorOptions = {}) {
  const grid = await startEventGridEmulator(options);
  onTestFinished(() => grid.close());
  return grid;
}

const cloudEvent = (id: string, more: object = {}) => ({
  specversion: "1.0",
  id,
  source: "/keyturn",
  type: "Keyturn.RotationSucceeded",
  ...more,
});

const post = (endpoint: string, key: string, body: unknown, headers: object = {}) =>
  fetch(`${endpoint}?api-version=2018-01-01`, {
    method: "POST",
    headers: {
      "aeg-sas-key": key,
      "content-type": "application/cloudevents-batch+json",
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

test("the official publisher sends CloudEvents to the topic", async () => {
  const { endpoint, key, events } = await startTopic();
  const credential = new AzureKeyCredential(key);
  const client = new EventGridPublisherClient(endpoint, "CloudEvent", credential, {
    allowInsecureConnection: true,
  });
  await client.send([
    {
      id: "one",
      type: "Keyturn.RotationSucceeded",
      source: "/keyturn",
      subject: "orders-db",
      time: new Date("2026-11-22T10:00:00Z"),
      data: { targetId: "orders-db", slot: "a" },
      extensionAttributes: { rotation: "r1" },
    },
    { id: "two", type: "Keyturn.RotationFailed", source: "/keyturn", data: {} },
  ]);
  expect(events().map(({ sequence }) => sequence)).toEqual([1, 2]);
  expect(events()[0]?.event).toEqual({
    specversion: "1.0",
    id: "one",
    type: "Keyturn.RotationSucceeded",
    source: "/keyturn",
    subject: "orders-db",
    time: "2026-11-22T10:00:00.000Z",
    datacontenttype: "application/json",
    data: { targetId: "orders-db", slot: "a" },
    rotation: "r1",
  });
});

test("the official publisher sends Event Grid events to a topic of that schema", async () => {
  const { endpoint, key, events } = await startTopic({
    inputSchema: "EventGridSchema",
    source: "/topics/orders",
  });
  const credential = new AzureKeyCredential(key);
  const client = new EventGridPublisherClient(endpoint, "EventGrid", credential, {
    allowInsecureConnection: true,
  });
  const event = { id: "one", eventType: "T", subject: "s", dataVersion: "1", data: { a: 1 } };
  await client.send([event]);
  expect(events()[0]?.event).toMatchObject({ ...event, topic: "/topics/orders" });
  const wrong = new EventGridPublisherClient(endpoint, "CloudEvent", credential, {
    allowInsecureConnection: true,
  });
  await expect(
    wrong.send([{ id: "two", type: "T", source: "/s", data: {} }]),
  ).rejects.toMatchObject({ statusCode: 400 });
});

test("the official publisher is refused with a wrong key", async () => {
  const { endpoint, events } = await startTopic();
  const client = new EventGridPublisherClient(endpoint, "CloudEvent", new AzureKeyCredential("x"), {
    allowInsecureConnection: true,
  });
  await expect(
    client.send([{ id: "one", type: "T", source: "/s", data: {} }]),
  ).rejects.toMatchObject({ statusCode: 401, code: "Unauthorized" });
  expect(events()).toEqual([]);
});

test.each([
  ["no array", {}],
  ["no JSON", "[{"],
  ["an event without id", [cloudEvent("")]],
  ["an event without type", [cloudEvent("x", { type: undefined })]],
  ["an event without source", [cloudEvent("x", { source: undefined })]],
  ["another version of CloudEvents", [cloudEvent("x", { specversion: "0.1" })]],
  ["a time that is none", [cloudEvent("x", { time: "yesterday" })]],
  ["one bad event among good ones", [cloudEvent("a"), cloudEvent("b"), {}]],
])("%s is refused, and no event is accepted", async (_, body) => {
  const { endpoint, key, events } = await startTopic();
  expect((await post(endpoint, key, body)).status).toBe(400);
  expect(events()).toEqual([]);
});

test("a request over 1 MB or over 5,000 events is refused", async () => {
  const { endpoint, key, events } = await startTopic();
  const large = [cloudEvent("x", { data: "x".repeat(1024 * 1024) })];
  expect((await post(endpoint, key, large)).status).toBe(413);
  const small = { specversion: "1.0", id: "x", source: "s", type: "t" };
  expect((await post(endpoint, key, Array(5001).fill(small))).status).toBe(413);
  expect(events()).toEqual([]);
  expect((await post(endpoint, key, Array(5000).fill(small))).status).toBe(200);
});

test("the content type must match the schema, and the api-version must be known", async () => {
  const { endpoint, key } = await startTopic();
  const json = { "content-type": "application/json" };
  expect((await post(endpoint, key, [cloudEvent("x")], json)).status).toBe(400);
  const single = { "content-type": "application/cloudevents+json; charset=utf-8" };
  expect((await post(endpoint, key, cloudEvent("x"), single)).status).toBe(200);
  expect((await post(endpoint, key, [cloudEvent("x")], single)).status).toBe(400);
  const init = { method: "POST", headers: { "aeg-sas-key": key }, body: "[]" };
  expect((await fetch(endpoint, init)).status).toBe(400);
});

test("published events can be read after a sequence number, with the key", async () => {
  const { endpoint, key, url } = await startTopic({
    keep: 3,
    now: () => new Date("2026-11-22T10:00:00Z"),
  });
  await post(
    endpoint,
    key,
    ["a", "b", "c", "d"].map((id) => cloudEvent(id)),
  );
  const read = async (query: string): Promise<unknown> => {
    const response = await fetch(`${url}/events${query}`, { headers: { "aeg-sas-key": key } });
    return response.json();
  };
  const kept = ["b", "c", "d"].map((id, index) => ({
    sequence: index + 2,
    receivedAt: "2026-11-22T10:00:00.000Z",
    event: cloudEvent(id),
  }));
  expect(await read("")).toEqual({ events: kept });
  expect(await read("?since=3")).toEqual({ events: kept.slice(2) });
  expect(await read("?since=4")).toEqual({ events: [] });
  expect(await read("?since=x")).toMatchObject({ error: { code: "BadRequest" } });
  expect((await fetch(`${url}/events`)).status).toBe(401);
});

test.each([
  ["GET", "/api/events", 405],
  ["POST", "/events", 405],
  ["GET", "/", 404],
])("%s %s is answered with %i", async (method, path, status) => {
  const { url, key } = await startTopic();
  const response = await fetch(`${url}${path}`, { method, headers: { "aeg-sas-key": key } });
  expect(response.status).toBe(status);
});
