import {
  afterFailure,
  classifyAnswer,
  type DeadLetterReason,
  type DeliveryStatus,
  isDelivered,
  type RetryPolicy,
  type Verdict,
} from "./retry.ts";
import { convert, type EventSchema, type GridEvent, isCloudEvent } from "./schemas.ts";

/** One event on its way to one endpoint. */
export interface Delivery {
  readonly event: GridEvent;
  readonly publishTime: string;
  /** Attempts made. */
  attempts: number;
  /** Seconds, before scaling. */
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

/** One attempt. Undefined: no reply in time, or none at all. */
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

/** An Event Grid event travels in an array even when it is alone; a CloudEvent does not. */
function schemaHeaders(sent: GridEvent): Record<string, string> {
  if (isCloudEvent(sent)) return { "content-type": "application/cloudevents+json; charset=utf-8" };
  return {
    "content-type": "application/json; charset=utf-8",
    "aeg-data-version": sent.dataVersion,
    "aeg-metadata-version": sent.metadataVersion ?? "1",
  };
}

/** What follows the attempt just made, which `delivery.attempts` counts already. */
export function judge(
  status: DeliveryStatus,
  delivery: Delivery,
  policy: RetryPolicy,
  random: () => number,
): Verdict | "delivered" {
  if (isDelivered(status)) return "delivered";
  return afterFailure(status, { ...delivery, random: random() }, policy);
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
