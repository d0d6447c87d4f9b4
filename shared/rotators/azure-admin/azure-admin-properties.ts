import { z } from "zod";

/** A field of another form than expected, such as null, counts as absent. */
const text = z.string().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);

/** What the services say about a server, or about a resource below it. */
const fields = z.object({
  administratorLogin: text,
  administrator: z.object({ userName: text }).optional().catch(undefined),
  state: text,
  clusterStatus: text,
  administrators: z.object({ azureADOnlyAuthentication: flag }).optional().catch(undefined),
  azureADOnlyAuthentication: flag,
  authConfig: z
    .object({ passwordAuth: text, allowedModes: z.array(z.string()).optional().catch(undefined) })
    .optional()
    .catch(undefined),
  value: text,
  replicationRole: text,
  replica: z.object({ role: text }).optional().catch(undefined),
});

export type ServerProperties = z.output<typeof fields>;

const resource = z.object({ properties: fields });

/** The properties in the body of an answer. All are absent if it has none. */
export function readProperties(body: unknown): ServerProperties {
  return resource.safeParse(body).data?.properties ?? {};
}

/** Whether the server gets its accounts from another server. The roles are AsyncReplica, GeoAsyncReplica and Replica. */
export function isReplica({ replicationRole, replica }: ServerProperties): boolean {
  return (replicationRole ?? replica?.role)?.endsWith("Replica") === true;
}
