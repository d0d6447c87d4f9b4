import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { type LoopbackReply, type LoopbackRequest, serveOnLoopback } from "../loopback.ts";
import { type EventSchema, InvalidEventsError } from "./schemas.ts";
import { createTopic, type Topic, type TopicOptions } from "./topic.ts";

export interface EventGridEmulatorOptions extends Partial<TopicOptions> {
  /** Default: 0, a free port. */
  readonly port?: number | undefined;
  /** Access key. Default: a random one. */
  readonly key?: string | undefined;
}

export interface EventGridEmulator extends Omit<Topic, "close"> {
  /** The URL of the server. `GET /events?since=SEQUENCE` with the key reads the published events. */
  readonly url: string;
  /** The endpoint for publishers, such as `EventGridPublisherClient`. */
  readonly endpoint: string;
  readonly key: string;
  close(): Promise<void>;
}

const PUBLISH_PATH = "/api/events";
const INSPECT_PATH = "/events";
const API_VERSION = "2018-01-01";
const REQUEST_BYTES = 1024 * 1024;
const EVENTS_PER_REQUEST = 5000;

const CONTENT_TYPES: Readonly<Record<EventSchema, readonly string[]>> = {
  EventGridSchema: ["application/json"],
  CloudEventSchemaV1_0: ["application/cloudevents-batch+json", "application/cloudevents+json"],
};

/** Starts a custom topic with access-key authentication and delivery. Default schema: CloudEvents. */
export async function startEventGridEmulator(
  options: EventGridEmulatorOptions = {},
): Promise<EventGridEmulator> {
  const inputSchema = options.inputSchema ?? "CloudEventSchemaV1_0";
  const topic = createTopic({
    ...options,
    inputSchema,
    source: options.source ?? customTopicResourceId("keyturn-local"),
  });
  const key = options.key ?? randomBytes(32).toString("base64");
  const server = await serveOnLoopback({
    port: options.port,
    bodyLimit: REQUEST_BYTES,
    handler: () => (request) => Promise.resolve(answer(request, { topic, inputSchema, key })),
  });
  return {
    ...topic,
    url: server.url,
    endpoint: `${server.url}${PUBLISH_PATH}`,
    key,
    async close() {
      topic.close();
      await server.close();
    },
  };
}

const customTopicResourceId = (name: string): string =>
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local" +
  `/providers/Microsoft.EventGrid/topics/${name}`;

interface OwnTopic {
  readonly topic: Topic;
  readonly inputSchema: EventSchema;
  readonly key: string;
}

function answer(request: LoopbackRequest, own: OwnTopic): LoopbackReply {
  if (!sameKey(request.headers["aeg-sas-key"], own.key)) {
    return refusal(401, "Unauthorized", "The request authorization key is missing or wrong.");
  }
  if (request.path === PUBLISH_PATH && request.method === "POST") return publish(request, own);
  if (request.path === INSPECT_PATH && request.method === "GET") return inspect(request, own);
  const known = request.path === PUBLISH_PATH || request.path === INSPECT_PATH;
  return known
    ? refusal(405, "MethodNotAllowed", "This path does not allow this method.")
    : refusal(404, "NotFound", "This path does not exist.");
}

function sameKey(given: string | string[] | undefined, key: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return typeof given === "string" && timingSafeEqual(digest(given), digest(key));
}

function publish(request: LoopbackRequest, { topic, inputSchema }: OwnTopic): LoopbackReply {
  if (request.query.get("api-version") !== API_VERSION) {
    return refusal(400, "BadRequest", `The api-version must be ${API_VERSION}.`);
  }
  if (request.body === undefined) {
    return refusal(413, "RequestEntityTooLarge", "A request must not be larger than 1 MB.");
  }
  const contentType = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (!CONTENT_TYPES[inputSchema].includes(contentType)) {
    const contentType = CONTENT_TYPES[inputSchema].join(" or ");
    return refusal(
      400,
      "BadRequest",
      `This topic accepts ${inputSchema} only, with content type ${contentType}.`,
    );
  }
  const events = readEvents(request.body, contentType === "application/cloudevents+json");
  if (events === undefined) {
    return refusal(400, "BadRequest", "The body is not a JSON array of events.");
  }
  if (events.length > EVENTS_PER_REQUEST) {
    return refusal(413, "RequestEntityTooLarge", "A request must not have more than 5,000 events.");
  }
  try {
    topic.publish(events);
  } catch (error) {
    if (error instanceof InvalidEventsError) return refusal(400, "BadRequest", error.message);
    throw error;
  }
  return { status: 200 };
}

function readEvents(body: Buffer, single: boolean): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    if (Array.isArray(parsed)) return single ? undefined : parsed;
    return single ? [parsed] : undefined;
  } catch {
    return undefined;
  }
}

function inspect(request: LoopbackRequest, { topic }: OwnTopic): LoopbackReply {
  const since = request.query.get("since") ?? "0";
  if (!/^\d{1,15}$/.test(since)) {
    return refusal(400, "BadRequest", "since must be the sequence number of an event.");
  }
  return { status: 200, json: { events: topic.events(Number(since)) } };
}

const refusal = (status: number, code: string, message: string): LoopbackReply => ({
  status,
  json: { error: { code, message } },
});
