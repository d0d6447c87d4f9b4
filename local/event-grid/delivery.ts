import {
  classifyAnswer,
  type DeadLetterReason,
  decideAfterFailure,
  type DeliveryStatus,
  isDelivered,
  type RetryPolicy,
  type Verdict,
} from "./delivery-retry.ts";
import { convert, type EventSchema, type GridEvent, isCloudEvent } from "./schemas.ts";

/** The delivery of one event to one endpoint. */
export interface Delivery {
  readonly event: GridEvent;
  readonly publishTime: string;
  /** The number of attempts so far. */
  attempts: number;
  /** The sum of the waits so far, in seconds before scaling. */
  waited: number;
}

export interface DeadLetter {
  readonly subscription: string;
  readonly event: GridEvent;
  readonly deadLetterReason: DeadLetterReason;
  readonly deliveryAttempts: number;
  readonly lastDeliveryOutcome: string;
  readonly publishTime: string;
  readonly lastDeliveryAttemptTime: string;
}

interface Endpoint {
  readonly name: string;
  readonly url: string;
  readonly schema: EventSchema;
}

/** Makes one attempt. Returns undefined when there was no reply in time. */
export async function post(
  endpoint: Endpoint,
  { event, attempts }: Delivery,
  signal: AbortSignal,
): Promise<DeliveryStatus> {
  const sent = convert(event, endpoint.schema);
  try {
    const response = await fetch(endpoint.url, {
      method: "POST",
      headers: {
        "aeg-event-type": "Notification",
        "aeg-subscription-name": endpoint.name,
        "aeg-delivery-count": String(attempts),
        ...schemaHeaders(sent),
      },
      body: JSON.stringify(isCloudEvent(sent) ? sent : [sent]),
      redirect: "manual",
      signal,
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

/** A single Event Grid event is sent in an array; a single CloudEvent is not. */
function schemaHeaders(sent: GridEvent): Record<string, string> {
  if (isCloudEvent(sent)) return { "content-type": "application/cloudevents+json; charset=utf-8" };
  return {
    "content-type": "application/json; charset=utf-8",
    "aeg-data-version": sent.dataVersion,
    "aeg-metadata-version": sent.metadataVersion ?? "1",
  };
}

/** Decides what follows the last attempt, which `delivery.attempts` already includes. */
export function judge(
  status: DeliveryStatus,
  delivery: Delivery,
  policy: RetryPolicy,
  random: () => number,
): Verdict | "delivered" {
  if (isDelivered(status)) return "delivered";
  return decideAfterFailure(status, { ...delivery, random: random() }, policy);
}

export const toDeadLetter = (
  delivery: Delivery,
  {
    subscription,
    deadLetterReason,
    status,
    now,
  }: {
    readonly subscription: string;
    readonly deadLetterReason: DeadLetterReason;
    readonly status: DeliveryStatus;
    readonly now: Date;
  },
): DeadLetter => ({
  subscription,
  event: delivery.event,
  deadLetterReason,
  deliveryAttempts: delivery.attempts,
  lastDeliveryOutcome: classifyAnswer(status),
  publishTime: delivery.publishTime,
  lastDeliveryAttemptTime: now.toISOString(),
});
