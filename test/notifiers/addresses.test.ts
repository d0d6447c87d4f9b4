import { describe, expect, it } from "vitest";
import { ConfigError } from "../../shared/core/errors.ts";
import type { NotificationType } from "../../shared/core/record/record.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { toCloudEvent } from "../../shared/notifiers/cloud-event.ts";
import { makeEventGridNotifier } from "../../shared/notifiers/event-grid.ts";
import { makeWebhookNotifier } from "../../shared/notifiers/webhook-notifier.ts";

const key = new Secret("0123456789abcdef");
const token = { getToken: () => Promise.resolve(null) };

describe("the endpoint of Event Grid", () => {
  it.each([
    ["https://orders.westeurope-1.eventgrid.azure.net/api/events", "event-grid orders"],
    ["https://orders.usgovvirginia-1.eventgrid.azure.us/api/events", "event-grid orders"],
    ["https://127.0.0.1:6060/api/events", "event-grid 127.0.0.1:6060"],
  ])("%s takes a key or a token", (endpoint, name) => {
    expect(makeEventGridNotifier({ endpoint, credential: { key } }).name).toBe(name);
    expect(makeEventGridNotifier({ endpoint, credential: token }).name).toBe(name);
  });

  it.each([
    "orders.westeurope-1.eventgrid.azure.net",
    "http://orders.westeurope-1.eventgrid.azure.net/api/events",
    "https://eventgrid.azure.net.evil.example/api/events",
    "https://user:hunter2@orders.westeurope-1.eventgrid.azure.net/api/events",
  ])("%s is refused", (endpoint) => {
    const make = () => makeEventGridNotifier({ endpoint, credential: { key } });
    expect(make).toThrow(ConfigError);
    expect(make).not.toThrow(/hunter2/);
  });

  it("may be plain http on loopback only with a key", () => {
    const endpoint = "http://127.0.0.1:6060/api/events";
    expect(() => makeEventGridNotifier({ endpoint, credential: token })).toThrow(ConfigError);
    expect(() => makeEventGridNotifier({ endpoint, credential: { key } })).not.toThrow();
  });
});

describe("the url of a webhook", () => {
  it.each(["https://hooks.example/x?sig=1", "http://127.0.0.1:1/x", "http://[::1]:1/x"])(
    "%s will do",
    (url) => {
      expect(makeWebhookNotifier({ url, key }).name).toBe(`webhook ${new URL(url).host}`);
    },
  );

  it.each([
    "hooks.example",
    "http://hooks.example",
    "http://10.0.0.1",
    "https://user:hunter2@hooks.example",
    "https://hunter2@hooks.example",
    "file:///etc/hosts",
  ])("%s is refused", (url) => {
    const make = () => makeWebhookNotifier({ url, key });
    expect(make).toThrow(ConfigError);
    expect(make).not.toThrow(/hunter2/);
  });

  it("needs a key that nobody guesses", () => {
    const make = () =>
      makeWebhookNotifier({ url: "https://hooks.example", key: new Secret("short") });
    expect(make).toThrow(ConfigError);
    expect(make).not.toThrow(/short[^e]/);
  });
});

describe("an event", () => {
  it.each<[NotificationType, string]>([
    ["rotation.started", "Keyturn.Rotation.Started"],
    ["rotation.succeeded", "Keyturn.Rotation.Succeeded"],
    ["rotation.failed", "Keyturn.Rotation.Failed"],
    ["rotation.blocked", "Keyturn.Rotation.Blocked"],
    ["credential.adopted", "Keyturn.Credential.Adopted"],
    ["credential.retired", "Keyturn.Credential.Retired"],
    ["drift.found", "Keyturn.Drift.Found"],
    ["alarm", "Keyturn.Alarm"],
  ])("of the type %s is called %s", (type, called) => {
    const at = "2026-03-01T02:03:04.567Z";
    const event = toCloudEvent(
      { id: "n1", type, targetId: "orders-db", at, data: { rotationId: "r1" } },
      "/keyturn/prod",
    );
    expect(event).toEqual({
      id: "n1",
      type: called,
      source: "/keyturn/prod",
      subject: "orders-db",
      time: new Date(at),
      datacontenttype: "application/json",
      data: { rotationId: "r1", targetId: "orders-db" },
    });
  });
});
