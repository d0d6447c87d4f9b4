import { z } from "zod";
import type { AzureReply } from "../../azure/azure-reply.ts";

const text = z.string().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);
const times = z
  .record(z.string(), z.object({ generationTime: text }).optional().catch(undefined))
  .optional()
  .catch(undefined);

/** The properties of resources that say whether and where their keys work. Every service has a few of them. */
const properties = z.object({
  provisioningState: text,
  resourceState: text,
  allowSharedKeyAccess: flag,
  disableLocalAuth: flag,
  disableAccessKeyAuthentication: flag,
  accessKeysAuthentication: text,
  adminUserEnabled: flag,
  allowedAuthenticationModes: z.array(z.string()).optional().catch(undefined),
  primaryEndpoints: z
    .object({ blob: text, file: text, queue: text, table: text })
    .optional()
    .catch(undefined),
  documentEndpoint: text,
  endpoint: text,
  /** Azure OpenAI in an account for AI services has a host of its own. */
  endpoints: z.record(z.string(), text).optional().catch(undefined),
  hostName: text,
  accountEndpoint: text,
  loginServer: text,
  serviceBusEndpoint: text,
  inputSchema: text,
  clientProtocol: text,
  rights: z.array(z.string()).optional().catch(undefined),
  keysMetadata: times,
});

const resource = z.object({
  name: text,
  kind: text,
  properties: properties.optional().catch(undefined),
});

export type KeyProperties = z.output<typeof properties> & {
  readonly name?: string | undefined;
  readonly kind?: string | undefined;
};

export function readProperties({ body }: AzureReply): KeyProperties {
  const { name, kind, properties: found = {} } = resource.safeParse(body).data ?? {};
  return { ...found, name, kind };
}

/** The state of a resource that is not ready for a change of its keys. */
export function findUnready({
  provisioningState = "Succeeded",
  resourceState = "Running",
}: KeyProperties): string | undefined {
  if (!/^succeeded$/i.test(provisioningState)) return provisioningState;
  return /^running$/i.test(resourceState) ? undefined : resourceState;
}
