import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { HandshakeError } from "../../../local/event-grid/handshake.ts";
import {
  cloudEvents,
  event,
  eventGrid,
  SOURCE,
  startEndpoint,
  startTopic,
} from "./event-grid-emulator-fixture.ts";

describe("subscribing", () => {
  test("in the Event Grid schema asks with a validation event", async () => {
    const { url, received } = await startEndpoint();
    await startTopic().subscribe({ ...eventGrid, url });
    expect(received).toHaveLength(1);
    expect(received[0]?.headers).toMatchObject({
      "aeg-event-type": "SubscriptionValidation",
      "aeg-subscription-name": "hook",
    });
    expect(JSON.parse(received[0]?.body ?? "")).toMatchObject([
      { eventType: "Microsoft.EventGrid.SubscriptionValidationEvent", topic: SOURCE },
    ]);
  });

  test("uses OPTIONS for CloudEvents, as the webhook standard requires", async () => {
    const { url, received } = await startEndpoint();
    await startTopic().subscribe({ ...cloudEvents, url });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      method: "OPTIONS",
      headers: { "webhook-request-origin": "eventgrid.azure.net" },
    });
  });

  test("can use a validation event for CloudEvents, as Functions require", async () => {
    const { url, received } = await startEndpoint();
    await startTopic().subscribe({ ...cloudEvents, url, handshake: "validation-event" });
    const { data } = z
      .object({ specversion: z.literal("1.0"), data: z.string() })
      .parse(JSON.parse(received[0]?.body ?? ""));
    expect(JSON.parse(data)).toHaveProperty("validationCode");
  });

  test("fails and delivers nothing when the endpoint does not agree", async () => {
    const topic = startTopic();
    const { url, received } = await startEndpoint();
    const plain = `${url}&refuse`;
    const refusing = vi.spyOn(globalThis, "fetch");
    for (const answer of [
      new Response(JSON.stringify({ validationResponse: "wrong" })),
      new Response("hello"),
      new Response(null, { status: 404 }),
    ]) {
      refusing.mockResolvedValueOnce(answer);
      await expect(topic.subscribe({ ...eventGrid, url: plain })).rejects.toThrow(HandshakeError);
    }
    refusing.mockResolvedValueOnce(new Response(null, { status: 200 }));
    await expect(topic.subscribe({ ...cloudEvents, url: plain })).rejects.toThrow(/did not agree/);
    refusing.mockRestore();
    topic.publish([event("one")]);
    await topic.idle();
    expect(received).toEqual([]);
  });

  test("to an endpoint that is not there fails without naming its address", async () => {
    const subscribing = startTopic().subscribe({
      ...eventGrid,
      url: "http://127.0.0.1:1/hook?code=secret",
    });
    const error: unknown = await subscribing.catch((each: unknown) => each);
    expect(error).toBeInstanceOf(HandshakeError);
    expect(String(error)).not.toMatch(/code|127/);
  });

  test("is refused for a name in use and for a schema the topic cannot make", async () => {
    const { url } = await startEndpoint();
    const topic = startTopic({ inputSchema: "CloudEventSchemaV1_0" });
    await topic.subscribe({ ...cloudEvents, url });
    await expect(topic.subscribe({ ...cloudEvents, url })).rejects.toThrow(/already/);
    await expect(topic.subscribe({ ...eventGrid, url })).rejects.toThrow(/cannot deliver/);
  });
});
