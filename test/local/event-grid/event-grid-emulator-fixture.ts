import { createServer } from "node:http";
import { onTestFinished } from "vitest";
import { createTopic, type Topic, type TopicOptions } from "../../../local/event-grid/topic.ts";

export const SOURCE = "/subscriptions/s/vaults/kv-orders";

export const eventGrid = { name: "hook", schema: "EventGridSchema" } as const;
export const cloudEvents = { name: "hook", schema: "CloudEventSchemaV1_0" } as const;

/** One second of waiting takes 10 microseconds. Closed when the test ends. */
export function startTopic(options: Partial<TopicOptions> = {}): Topic {
  const topic = createTopic({
    source: SOURCE,
    inputSchema: "EventGridSchema",
    timeScale: 0.00001,
    random: () => 0,
    ...options,
  });
  onTestFinished(() => {
    topic.close();
  });
  return topic;
}

export const event = (id: string, more: object = {}) => ({
  id,
  subject: "orders-db",
  eventType: "Microsoft.KeyVault.SecretNearExpiry",
  eventTime: "2026-11-22T10:00:00.1230000Z",
  data: { ObjectName: "orders-db" },
  dataVersion: "1",
  ...more,
});

export interface Delivered {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Endpoint {
  readonly url: string;
  /** Everything received, handshakes included. */
  readonly received: Delivered[];
  /** The bodies of the notifications, parsed. */
  readonly notifications: () => unknown[];
}

/** A webhook that agrees to both handshakes and answers notifications as `reply` says; "never"
 *  leaves the sender waiting. Closed when the test ends. */
export async function startEndpoint(
  reply: (delivered: Delivered, count: number) => Reply | "never" = () => ({ status: 202 }),
): Promise<Endpoint> {
  const received: Delivered[] = [];
  const isNotification = ({ headers }: Delivered): boolean =>
    headers["aeg-event-type"] === "Notification";
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const delivered = {
        method: request.method ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      received.push(delivered);
      const count = received.filter(isNotification).length;
      const answer = isNotification(delivered) ? reply(delivered, count) : agree(delivered);
      if (answer === "never") return;
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return {
    url: `http://127.0.0.1:${String(port)}/hook?code=secret`,
    received,
    notifications: () =>
      received.filter(isNotification).map(({ body }): unknown => JSON.parse(body)),
  };
}

/** The answers of a correct webhook to each kind of handshake. */
function agree({ method, headers, body }: Delivered): Reply {
  if (method === "OPTIONS") {
    const origin = String(headers["webhook-request-origin"]);
    return { status: 200, headers: { "webhook-allowed-origin": origin } };
  }
  const code = /validationCode\W+([0-9A-F-]{36})/.exec(body)?.[1];
  return { status: 200, body: JSON.stringify({ validationResponse: code }) };
}
