import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { toVaultResourceId } from "../../../local/key-vault/announcements.ts";
import { createClock, PATIENT, startVault } from "../key-vault/key-vault-emulator-fixture.ts";
import {
  cloudEvents,
  event,
  eventGrid,
  type Reply,
  SOURCE,
  startEndpoint,
  startTopic,
} from "./event-grid-emulator-fixture.ts";

const ids = (bodies: unknown[]) =>
  bodies.map((body) =>
    Array.isArray(body) ? z.object({ id: z.string() }).parse(body[0]).id : undefined,
  );

/** Leaves the first notification unanswered, and lets the sender time out at once. */
function neverFirst() {
  const patience = new AbortController();
  const timeout = vi
    .spyOn(AbortSignal, "timeout")
    .mockReturnValueOnce(new AbortController().signal) // for the handshake
    .mockReturnValueOnce(patience.signal);
  const reply = (_: unknown, count: number): Reply | "never" => {
    if (count > 1) return { status: 200 };
    patience.abort();
    return "never";
  };
  return { reply, timeout };
}

describe("delivering", () => {
  test("sends an array with one event and the headers of Event Grid", async () => {
    const { url, received, notifications } = await startEndpoint();
    const topic = startTopic();
    const subscription = await topic.subscribe({ ...eventGrid, url });
    topic.publish([event("one")]);
    await topic.idle();
    expect(notifications()).toEqual([[{ ...event("one"), topic: SOURCE, metadataVersion: "1" }]]);
    expect(received[1]?.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "aeg-event-type": "Notification",
      "aeg-subscription-name": "hook",
      "aeg-delivery-count": "0",
      "aeg-data-version": "1",
      "aeg-metadata-version": "1",
    });
    expect(subscription.attempts).toEqual([
      { eventId: "one", attempt: 1, status: 202, retryIn: undefined },
    ]);
  });

  test("turns an Event Grid event into a CloudEvent for who wants that", async () => {
    const { url, received, notifications } = await startEndpoint();
    const topic = startTopic();
    await topic.subscribe({ ...cloudEvents, url });
    topic.publish([event("one")]);
    await topic.idle();
    expect(notifications()).toEqual([
      {
        specversion: "1.0",
        id: "one",
        source: SOURCE,
        type: "Microsoft.KeyVault.SecretNearExpiry",
        subject: "orders-db",
        time: "2026-11-22T10:00:00.1230000Z",
        data: { ObjectName: "orders-db" },
      },
    ]);
    expect(received[1]?.headers).toMatchObject({
      "content-type": "application/cloudevents+json; charset=utf-8",
      "aeg-event-type": "Notification",
    });
  });

  test("reaches only the subscribers whose filter matches the event", async () => {
    const topic = startTopic();
    const wants = {
      all: {},
      type: { eventTypes: ["microsoft.keyvault.secretnearexpiry"] },
      begins: { subjectBeginsWith: "ORDERS" },
      ends: { subjectEndsWith: "-other" },
    };
    const got: Record<string, unknown> = {};
    const endpoints = await Promise.all(
      Object.entries(wants).map(async ([name, filter]) => {
        const endpoint = await startEndpoint();
        await topic.subscribe({ ...eventGrid, name, url: endpoint.url, filter });
        return { name, endpoint };
      }),
    );
    topic.publish([
      event("near"),
      event("new", { eventType: "Microsoft.KeyVault.SecretNewVersionCreated" }),
      event("other", { subject: "the-other", eventType: "Something" }),
    ]);
    await topic.idle();
    for (const { name, endpoint } of endpoints) got[name] = ids(endpoint.notifications()).sort();
    expect(got).toEqual({
      all: ["near", "new", "other"],
      type: ["near"],
      begins: ["near", "new"],
      ends: ["other"],
    });
  });

  test("can repeat events and turn their order round", async () => {
    const { url, notifications } = await startEndpoint();
    const topic = startTopic();
    await topic.subscribe({ ...eventGrid, url, duplicates: 1, reorder: 4 });
    topic.publish(["a", "b", "c"].map((id) => event(id)));
    await topic.idle();
    expect(ids(notifications())).toEqual(["b", "b", "a", "a", "c", "c"]);
  });

  test("keeps to its order by waiting for each reply", async () => {
    const { url } = await startEndpoint(neverFirst().reply);
    const topic = startTopic();
    const subscription = await topic.subscribe({ ...eventGrid, url, reorder: 2 });
    topic.publish([event("a"), event("b")]);
    await topic.idle();
    const attempts = subscription.attempts.map(({ eventId, status }) => [eventId, status]);
    expect(attempts).toEqual([
      ["b", undefined],
      ["a", 200],
      ["b", 200],
    ]);
  });

  test("stops when unsubscribed", async () => {
    const { url, notifications } = await startEndpoint(() => ({ status: 500 }));
    const topic = startTopic({ timeScale: 1 });
    const subscription = await topic.subscribe({ ...eventGrid, url });
    topic.publish([event("one")]);
    await expect.poll(() => subscription.attempts.length, PATIENT).toBe(1);
    subscription.unsubscribe();
    await topic.idle();
    topic.publish([event("two")]);
    expect(ids(notifications())).toEqual(["one"]);
  });
});

describe("after a failure", () => {
  test("the event comes again after the documented waits", async () => {
    const { url, received } = await startEndpoint((_, count) => ({
      status: count < 12 ? 500 : 200,
    }));
    const topic = startTopic();
    const subscription = await topic.subscribe({ ...eventGrid, url });
    topic.publish([event("one")]);
    await topic.idle();
    const minutes = subscription.attempts.map(({ retryIn }) => (retryIn ?? 0) / 60);
    expect(minutes).toEqual([1 / 6, 0.5, 1, 5, 10, 30, 60, 180, 360, 720, 0]);
    expect(subscription.attempts.at(-1)?.status).toBe(500);
    expect(received.slice(1, 4).map(({ headers }) => headers["aeg-delivery-count"])).toEqual([
      "0",
      "1",
      "2",
    ]);
    expect(topic.deadLetters).toMatchObject([
      {
        subscription: "hook",
        event: { id: "one" },
        deadLetterReason: "TimeToLiveExceeded",
        deliveryAttempts: 11,
        lastDeliveryOutcome: "GenericError",
      },
    ]);
  });

  test("some codes lengthen the wait, and a random part of up to a tenth is added", async () => {
    const statuses = [404, 408, 503, 500];
    const { url } = await startEndpoint((_, count) => ({ status: statuses[count - 1] ?? 200 }));
    const topic = startTopic({ random: () => 1 });
    const subscription = await topic.subscribe({ ...eventGrid, url });
    topic.publish([event("one")]);
    await topic.idle();
    const waits = subscription.attempts.map(({ retryIn }) => Math.round(retryIn ?? 0));
    expect(waits).toEqual([330, 132, 66, 330, 0]);
    expect(subscription.attempts.at(-1)?.status).toBe(200);
  });

  test.each([400, 401, 403, 413])("%i stops the retries at once", async (status) => {
    const { url, notifications } = await startEndpoint(() => ({ status }));
    const dead: string[] = [];
    const topic = startTopic({
      onDeadLetter: ({ deadLetterReason }) => dead.push(deadLetterReason),
    });
    await topic.subscribe({ ...eventGrid, url });
    topic.publish([event("one")]);
    await topic.idle();
    expect(notifications()).toHaveLength(1);
    expect(dead).toEqual(["DeliveryRefused"]);
  });

  test.each([302, 205, 429])("%i is retried like any other failure", async (status) => {
    const { url } = await startEndpoint((_, count) =>
      count === 1 ? { status, headers: { location: "/elsewhere" } } : { status: 200 },
    );
    const topic = startTopic();
    const subscription = await topic.subscribe({ ...eventGrid, url });
    topic.publish([event("one")]);
    await topic.idle();
    expect(subscription.attempts.map((each) => each.status)).toEqual([status, 200]);
  });

  test("the number of attempts ends it", async () => {
    const { url, notifications } = await startEndpoint(() => ({ status: 500 }));
    const topic = startTopic();
    await topic.subscribe({ ...eventGrid, url, maxDeliveryAttempts: 3 });
    topic.publish([event("one")]);
    await topic.idle();
    expect(notifications()).toHaveLength(3);
    expect(topic.deadLetters[0]?.deadLetterReason).toBe("MaxDeliveryAttemptsExceeded");
  });

  test("a missing reply counts as a failure, and the event is delivered again", async () => {
    const { reply, timeout } = neverFirst();
    const { url } = await startEndpoint(reply);
    const topic = startTopic();
    const subscription = await topic.subscribe({ ...eventGrid, url });
    topic.publish([event("one")]);
    await topic.idle();
    expect(subscription.attempts.map(({ status }) => status)).toEqual([undefined, 200]);
    expect(timeout).toHaveBeenLastCalledWith(30_000);
  });
});

test("what the Key Vault emulator tells arrives at a subscriber in either schema", async () => {
  const clock = createClock();
  const topic = startTopic({ source: toVaultResourceId("kv-orders") });
  const grid = await startEndpoint();
  const cloud = await startEndpoint();
  await topic.subscribe({ ...eventGrid, name: "grid", url: grid.url });
  await topic.subscribe({ ...cloudEvents, name: "cloud", url: cloud.url });
  const { client, emulator } = await startVault({
    now: clock.now,
    name: "kv-orders",
    onEvent: (told) => {
      topic.publish([told]);
    },
  });
  const expiresOn = new Date("2026-12-12T00:00:00Z");
  const { properties } = await client.setSecret("orders-db", "Tr0ub4dor", { expiresOn });
  await emulator.tick();
  await topic.idle();
  expect(grid.notifications()).toHaveLength(2);
  expect(cloud.notifications()).toContainEqual(
    expect.objectContaining({
      type: "Microsoft.KeyVault.SecretNearExpiry",
      source: toVaultResourceId("kv-orders"),
      subject: "orders-db",
      data: {
        Id: properties.id,
        VaultName: "kv-orders",
        ObjectType: "Secret",
        ObjectName: "orders-db",
        Version: properties.version,
        NBF: null,
        EXP: expiresOn.getTime() / 1000,
      },
    }),
  );
  expect(JSON.stringify([grid.received, cloud.received])).not.toContain("Tr0ub4dor");
});
