import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { EventSchema } from "./schemas.ts";

/**
 * The Event Grid trigger of Functions answers "validation-event" in both schemas. "options" is the abuse protection of the
 * CloudEvents webhook standard.
 */
export type Handshake = "validation-event" | "options" | "none";

/** The endpoint did not agree to receive events. Names the subscription, and not the URL, which may contain a key. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
}

const ORIGIN = "eventgrid.azure.net";
const VALIDATION_TYPE = "Microsoft.EventGrid.SubscriptionValidationEvent";

interface Candidate {
  readonly name: string;
  readonly url: string;
  readonly schema: EventSchema;
  readonly source: string;
}

/** Asks the endpoint whether it accepts events. Does not offer manual validation by `validationUrl`. */
export async function shakeHands(
  candidate: Candidate,
  handshake: Handshake,
  signal: AbortSignal,
): Promise<void> {
  if (handshake === "none") return;
  const ask = handshake === "options" ? askByOptions : askByValidationEvent;
  let agreed: boolean;
  try {
    agreed = await ask(candidate, signal);
  } catch {
    throw new HandshakeError(`The endpoint of subscription ${candidate.name} did not answer`);
  }
  if (!agreed) {
    throw new HandshakeError(`The endpoint of subscription ${candidate.name} did not agree`);
  }
}

async function askByOptions({ url }: Candidate, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, {
    method: "OPTIONS",
    headers: { "webhook-request-origin": ORIGIN },
    redirect: "manual",
    signal,
  });
  await response.body?.cancel();
  const allowed = response.headers.get("webhook-allowed-origin");
  return response.status === 200 && (allowed === ORIGIN || allowed === "*");
}

const validationReply = z.object({ validationResponse: z.string() });

async function askByValidationEvent(candidate: Candidate, signal: AbortSignal): Promise<boolean> {
  const code = randomUUID().toUpperCase();
  const response = await fetch(candidate.url, {
    method: "POST",
    headers: {
      "content-type": "application/json; charset=utf-8",
      "aeg-event-type": "SubscriptionValidation",
      "aeg-subscription-name": candidate.name,
      "aeg-delivery-count": "0",
    },
    body: JSON.stringify(validationBody(candidate, code)),
    redirect: "manual",
    signal,
  });
  const reply = await response.text();
  return response.status === 200 && readCode(reply) === code;
}

/** Makes an array in the Event Grid schema, and one object whose data is JSON text in the CloudEvents schema. */
function validationBody({ schema, source }: Candidate, validationCode: string): unknown {
  const id = randomUUID();
  const time = new Date().toISOString();
  if (schema === "CloudEventSchemaV1_0") {
    const data = JSON.stringify({ validationCode });
    return { specversion: "1.0", id, source, subject: "", type: VALIDATION_TYPE, time, data };
  }
  return [
    {
      id,
      topic: source,
      subject: "",
      eventType: VALIDATION_TYPE,
      eventTime: time,
      data: { validationCode },
      metadataVersion: "1",
      dataVersion: "2",
    },
  ];
}

function readCode(reply: string): string | undefined {
  try {
    return validationReply.parse(JSON.parse(reply)).validationResponse;
  } catch {
    return undefined;
  }
}
