import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HostedFixture, hostFixture } from "./hosted-fixture.ts";

let host: HostedFixture;
beforeAll(async () => {
  host = await hostFixture({ main: "functions/event-grid.ts" });
});
afterAll(() => host.close());

function deliver(
  kind: string | undefined,
  body: unknown,
  options: { name?: string; key?: string; method?: string } = {},
): Promise<Response> {
  const { name = "hint", key = host.keys.eventgrid_extension, method = "POST" } = options;
  const query = new URLSearchParams({ functionName: name, code: key });
  return fetch(`${host.url}/runtime/webhooks/EventGrid?${query.toString()}`, {
    method,
    headers: kind === undefined ? {} : { "aeg-event-type": kind },
    ...(method === "POST" ? { body: JSON.stringify(body) } : {}),
  });
}

const gridEvent = (subject: string) => ({
  id: `id-${subject}`,
  topic: "/subscriptions/1/vaults/v",
  subject,
  eventType: "Microsoft.KeyVault.SecretNearExpiry",
  eventTime: "2026-11-22T01:02:03.1234567Z",
  data: { Id: "https://v/secrets/a/1", "ObjectName ": "a", EXP: null },
  dataVersion: "1",
  metadataVersion: "1",
});

const cloudEvent = (subject: string) => ({
  id: `id-${subject}`,
  source: "/subscriptions/1/vaults/v",
  subject,
  type: "Microsoft.KeyVault.SecretNearExpiry",
  time: "2026-11-22T01:02:03Z",
  data: { Id: "https://v/secrets/a/1" },
  specversion: "1.0",
});

describe("The Event Grid webhook", () => {
  test("answers the validation handshake of the Event Grid schema", async () => {
    const data = { validationCode: "code-1", validationUrl: "https://example.net/validate" };
    const response = await deliver("SubscriptionValidation", [
      { ...gridEvent("x"), eventType: "Microsoft.EventGrid.SubscriptionValidationEvent", data },
    ]);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ validationResponse: "code-1" });
  });

  test("answers the validation handshake of CloudEvents, in which `data` is JSON text", async () => {
    const data = JSON.stringify({ validationCode: "code-2" });
    const response = await deliver("SubscriptionValidation", { ...cloudEvent("x"), data });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ validationResponse: "code-2" });
  });

  test("refuses a handshake without a code", async () => {
    expect((await deliver("SubscriptionValidation", [{ data: {} }])).status).toBe(400);
  });

  test("passes an event on unchanged, with its data as metadata with camel-case keys", async () => {
    const event = gridEvent("orders-db");
    expect((await deliver("Notification", event)).status).toBe(202);
    const said = JSON.parse((await host.heard("hint", "hint ")).slice(5)) as unknown;
    expect(said).toEqual({
      event,
      metadata: { data: { id: event.data.Id, "objectName ": "a", eXP: null } },
    });
  });

  test("hands over a CloudEvent as it is", async () => {
    const event = cloudEvent("cloud");
    expect((await deliver("Notification", [event])).status).toBe(202);
    expect(host.said("hint").filter((line) => line.includes(JSON.stringify(event)))).toHaveLength(
      1,
    );
  });

  test("runs every event of a delivery and fails it as a whole with the first reason", async () => {
    const subjects = ["fine-1", "fails-1", "fails-2", "fine-2"];
    const response = await deliver("Notification", subjects.map(gridEvent));
    expect(response.status).toBe(500);
    expect(await response.text()).toBe("refused fails-1");
    for (const subject of subjects) {
      expect(host.said("hint").some((line) => line.includes(`id-${subject}`))).toBe(true);
    }
  });

  test("takes the end of a subscription without running anything", async () => {
    const before = host.said("hint").length;
    expect((await deliver("Unsubscribe", gridEvent("bye"))).status).toBe(202);
    expect(host.said("hint")).toHaveLength(before);
  });

  test.each([
    ["no event type header", undefined, gridEvent("x"), {}],
    ["an unknown event type header", "Surprise", gridEvent("x"), {}],
    ["a body that is no event", "Notification", "text", {}],
    ["a body with something else among the events", "Notification", [gridEvent("x"), 1], {}],
    ["another method", "Notification", undefined, { method: "GET" }],
  ])("answers 400 to %s", async (_, kind, body, options) => {
    expect((await deliver(kind, body, options)).status).toBe(400);
  });

  test("answers 404 for a function that does not exist, and 401 without the right key", async () => {
    expect((await deliver("Notification", [], { name: "nobody" })).status).toBe(404);
    const key = host.keys.default;
    expect((await deliver("Notification", [], { key })).status).toBe(401);
  });

  test("is listed with its address and without its key", () => {
    expect(host.functions).toEqual([
      {
        name: "hint",
        trigger: "eventGridTrigger",
        url: `${host.url}/runtime/webhooks/EventGrid?functionName=hint`,
      },
    ]);
  });

  test("lets the holder of the master key start the function with an event as text", async () => {
    const start = (body: string) =>
      fetch(`${host.url}/admin/functions/hint`, {
        method: "POST",
        headers: { "x-functions-key": host.keys.master },
        body,
      });
    const input = JSON.stringify(gridEvent("by-hand"));
    expect((await start(JSON.stringify({ input }))).status).toBe(202);
    await expect.poll(() => host.said("hint").at(-1)).toContain("id-by-hand");
    expect((await start(JSON.stringify({ input: "no event" }))).status).toBe(400);
    expect((await start("no JSON")).status).toBe(400);
  });
});
