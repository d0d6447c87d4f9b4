import { z } from "zod";
import { type AzureAccess, callAzure } from "../../azure/azure-call.ts";
import { isAccepted } from "../../azure/azure-reply.ts";
import { TargetUnavailableError } from "../../core/errors.ts";
import { type Credential, Secret } from "../../core/secrets/secret.ts";
import { type Instant, toInstantAt } from "../../core/time.ts";
import {
  type Concern,
  describe,
  judgeRemoval,
  notFound,
  toAddError,
  toReadError,
} from "./entra-app-errors.ts";
import { type Application, application } from "./entra-app-secrets.ts";

/** The calls to Microsoft Graph that concern the secrets of an application. */

const fields =
  "id,appId,createdDateTime,signInAudience,disabledByMicrosoftStatus,passwordCredentials";

/** Where the application is found: by its client id, or by its object id if the options name it. */
export function toApplicationPath({ account, options }: Concern): string {
  const { application: id = account } = options;
  return id.toLowerCase() === account
    ? `/v1.0/applications(appId='${account}')`
    : `/v1.0/applications/${id}`;
}

export interface Found {
  readonly application: Application;
  /** Milliseconds since 1970, on the clock of Microsoft Graph. */
  readonly now: number;
}

/** Reads the application with its secrets. The list may be some seconds old. */
export async function readApplication(
  access: AzureAccess,
  concern: Concern,
  signal: AbortSignal,
): Promise<Found> {
  const path = `${toApplicationPath(concern)}?$select=${fields}`;
  const reply = await callAzure(access, { method: "GET", path }, signal);
  if (reply.by !== "azure" || !isAccepted(reply)) throw toReadError(reply, concern);
  const found = application.safeParse(reply.body).data;
  if (!found) {
    throw new TargetUnavailableError(
      `${describe(concern)}: the answer of Microsoft Graph has an unexpected form`,
    );
  }
  if (found.appId !== concern.account) throw notFound(describe(concern));
  return { application: found, now: reply.headers.date ?? Date.now() };
}

/** What the name and the end of a new secret are. */
export interface NewSecret {
  readonly displayName: string;
  readonly endDateTime: Instant;
}

const added = z.object({
  keyId: z.guid(),
  secretText: z.string().min(1),
  endDateTime: z.string(),
});

/** Adds a secret. The request is sent at most once. */
export async function addSecret(
  access: AzureAccess,
  concern: Concern,
  { id, passwordCredential, isInTime }: AddingOptions,
  signal: AbortSignal,
): Promise<Credential> {
  const reply = await callAzure(
    access,
    {
      method: "POST",
      path: `/v1.0/applications/${id}/addPassword`,
      body: { passwordCredential },
      ...(isInTime && { isInTime }),
    },
    signal,
  );
  const isDone = reply.by === "azure" && isAccepted(reply);
  const { data } = added.safeParse(isDone ? reply.body : undefined);
  if (!data) throw toAddError(reply, concern);
  const end = Date.parse(data.endDateTime);
  return {
    account: concern.account,
    secret: new Secret(data.secretText),
    secretId: data.keyId,
    expiresAt: Number.isNaN(end) ? passwordCredential.endDateTime : toInstantAt(end),
  };
}

interface AddingOptions {
  /** The object id of the application. */
  readonly id: string;
  readonly passwordCredential: NewSecret;
  readonly isInTime: (() => boolean) | undefined;
}

/**
 * Removes a secret, which is safe to repeat. Only the list shows whether it is gone. Throws for a refusal, and for a request that was not
 * sent.
 */
export async function removeSecret(
  access: AzureAccess,
  concern: Concern,
  { id, keyId, isInTime }: RemovingOptions,
  signal: AbortSignal,
): Promise<void> {
  const reply = await callAzure(
    access,
    {
      method: "POST",
      path: `/v1.0/applications/${id}/removePassword`,
      body: { keyId },
      ...(isInTime && { isInTime }),
    },
    signal,
  );
  const judged = judgeRemoval(reply, concern);
  if (judged !== "open") throw judged;
}

interface RemovingOptions {
  readonly id: string;
  readonly keyId: string;
  readonly isInTime: (() => boolean) | undefined;
}

/** An answer that only informs: undefined where the identity may not read it, or nobody answers. */
export async function readIfAllowed(
  access: AzureAccess,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: unknown } | undefined> {
  const reply = await callAzure(access, { method: "GET", path }, signal);
  if (reply.by !== "azure") return undefined;
  return isAccepted(reply) || reply.status === 404
    ? { status: reply.status, body: reply.body }
    : undefined;
}
