import { z } from "zod";

export type EventSchema = "EventGridSchema" | "CloudEventSchemaV1_0";

const text = z.string().min(1);
const time = z.iso.datetime({ offset: true });

const eventGridEvent = z.strictObject({
  id: text,
  subject: text,
  eventType: text,
  eventTime: time,
  dataVersion: z.string(),
  data: z.unknown(),
  /** The service sets it; a publisher may leave it out. */
  topic: z.string().optional(),
  metadataVersion: z.string().optional(),
});

/** Other names are extension attributes. */
const cloudEvent = z.looseObject({
  specversion: z.literal("1.0"),
  id: text,
  source: text,
  type: text,
  subject: text.optional(),
  time: time.optional(),
  datacontenttype: z.string().optional(),
  dataschema: z.string().optional(),
  data: z.unknown().optional(),
  data_base64: z.base64().optional(),
});

export type EventGridEvent = z.infer<typeof eventGridEvent>;
export type CloudEvent = z.infer<typeof cloudEvent>;
export type GridEvent = EventGridEvent | CloudEvent;

/** An event violates a rule of the topic. The message names the event and the rule. */
export class InvalidEventsError extends Error {
  override readonly name = "InvalidEventsError";
}

/** Accepts all events or none, like the service. */
export function parseEvents(
  events: readonly unknown[],
  schema: EventSchema,
  source: string,
): GridEvent[] {
  return events.map((event, index) => {
    const result =
      schema === "EventGridSchema" ? eventGridEvent.safeParse(event) : cloudEvent.safeParse(event);
    if (!result.success) {
      const [issue] = result.error.issues;
      const place = [index, ...(issue?.path ?? [])].join(".");
      throw new InvalidEventsError(
        `Event ${place} is not valid in schema ${schema}: ${issue?.message ?? ""}`,
      );
    }
    return isCloudEvent(result.data) ? result.data : completed(result.data, source);
  });
}

function completed(event: EventGridEvent, source: string): EventGridEvent {
  if (event.topic !== undefined && event.topic !== "" && event.topic !== source) {
    throw new InvalidEventsError("The topic of an event must be empty or the topic's own.");
  }
  return { ...event, topic: source, metadataVersion: "1" };
}

export const isCloudEvent = (event: GridEvent): event is CloudEvent => "specversion" in event;

const readType = (event: GridEvent): string => (isCloudEvent(event) ? event.type : event.eventType);

/**
 * Converts an event to the schema of a subscriber. Like the service, converts the Event Grid schema to CloudEvents only;
 * `checkConversion` refuses the opposite direction when a subscription is made.
 */
export function convert(event: GridEvent, schema: EventSchema): GridEvent {
  if (schema === "EventGridSchema" || isCloudEvent(event)) return event;
  return {
    specversion: "1.0",
    id: event.id,
    source: event.topic ?? "",
    subject: event.subject,
    type: event.eventType,
    time: event.eventTime,
    data: event.data,
  };
}

export function checkConversion(from: EventSchema, to: EventSchema): void {
  if (from === "CloudEventSchemaV1_0" && to === "EventGridSchema") {
    throw new Error("A topic that accepts CloudEvents cannot deliver the Event Grid schema");
  }
}

/** The filter of a subscription. Like the service by default, it ignores the case of letters. */
export interface EventFilter {
  readonly eventTypes?: readonly string[];
  readonly subjectBeginsWith?: string;
  readonly subjectEndsWith?: string;
}

export function passes(event: GridEvent, filter: EventFilter): boolean {
  const subject = (event.subject ?? "").toLowerCase();
  const type = readType(event).toLowerCase();
  return (
    (filter.eventTypes?.some((each) => each.toLowerCase() === type) ?? true) &&
    subject.startsWith((filter.subjectBeginsWith ?? "").toLowerCase()) &&
    subject.endsWith((filter.subjectEndsWith ?? "").toLowerCase())
  );
}
