import type {
  HttpClient,
  Pipeline,
  PipelineRequest,
  RetryStrategy,
} from "@azure/core-rest-pipeline";
import { isLoopback } from "../core/secrets/addresses.ts";
import { withDeadline } from "../http/deadline.ts";
import { type AzurePlace, makeSafePolicy, type Sending } from "./azure-policy.ts";
import { type Nobody, type RawHeaders, readFailure } from "./azure-reply.ts";

export interface RawRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** From the origin on. Names in it are already encoded. */
  readonly path: string;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** As `AzureRequest.isInTime`. */
  readonly isInTime?: () => boolean;
  /** How often, and when, a GET is repeated. Absent: never. Nothing else is repeated. */
  readonly repeat?: { readonly strategy: RetryStrategy; readonly maxRetries: number };
}

export interface RawAnswer {
  readonly by: "somebody";
  readonly status: number;
  readonly headers: RawHeaders;
  readonly text: string;
}

/**
 * Sends one request to the place, over verified TLS and a connection of its own, and returns what is known after it. It does not throw,
 * follows no redirect, and ends soon after `signal` fires, and after 30 seconds at the latest.
 */
export async function sendRaw(
  place: AzurePlace,
  request: RawRequest,
  signal: AbortSignal,
): Promise<RawAnswer | Nobody> {
  const { isInTime } = request;
  const sending: Sending = { started: false, status: undefined, ...(isInTime && { isInTime }) };
  try {
    return await withDeadline(signal, async (either) => {
      const { pipeline, client, message } = await prepare(place, request, sending);
      message.abortSignal = either;
      const { status, headers, bodyAsText } = await pipeline.sendRequest(client, message);
      return { by: "somebody" as const, status, headers, text: bodyAsText ?? "" };
    });
  } catch (error) {
    if (sending.isTooLate === true) return { by: "nobody", why: "too-late", sent: false };
    // The error contains the request, with its body and its headers.
    return readFailure(error, sending.started);
  }
}

async function prepare(
  place: AzurePlace,
  { method, path, headers, body, repeat }: RawRequest,
  sending: Sending,
): Promise<{ pipeline: Pipeline; client: HttpClient; message: PipelineRequest }> {
  const azure = await import("@azure/core-rest-pipeline");
  const pipeline = azure.createEmptyPipeline();
  pipeline.addPolicy(azure.setClientRequestIdPolicy());
  if (method === "GET" && repeat) {
    const { strategy, maxRetries } = repeat;
    pipeline.addPolicy(azure.retryPolicy([strategy], { maxRetries }));
  }
  if (!isLoopback(new URL(place.origin))) pipeline.addPolicy(azure.proxyPolicy());
  pipeline.addPolicy(makeSafePolicy(place, sending));
  const message = azure.createPipelineRequest({
    ...{ url: `${place.origin}${path}`, method },
    headers: azure.createHttpHeaders({ "user-agent": "keyturn", ...headers }),
    ...(body !== undefined && { body }),
  });
  return { pipeline, client: azure.createDefaultHttpClient(), message };
}
