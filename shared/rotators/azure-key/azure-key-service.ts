import { z } from "zod";
import type { KeySystem } from "../../core/secrets/addresses.ts";
import type { Proof } from "./azure-key-proofs.ts";
import type { KeyProperties } from "./azure-key-properties.ts";

/** One key of a service. */
export interface KeyName {
  /** The name of the account in `keyturn.yaml`. */
  readonly name: string;
  /** The word with which a request names it. */
  readonly sent: string;
  /** The field or the name under which the list has it. */
  readonly listed: string;
}

/** Two keys that take turns. */
export type KeyPair = readonly [KeyName, KeyName];

/** What the list says about one key. */
export interface RawKey {
  readonly value: string;
  /** RFC 3339. */
  readonly created?: string;
  /** An id without which the key is of no use. It is not confidential. */
  readonly id?: string;
}

/** What a connection string is made of. */
export interface KeyParts {
  /** The name of the resource. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly id: string;
}

/** Facts about one service. */
export interface KeyService {
  /** For people, as in "storage account". */
  readonly noun: string;
  readonly type: string;
  readonly apiVersion: string;
  /** The least role of Azure that contains the actions. */
  readonly role: string;
  readonly system: KeySystem;
  readonly pairs: { readonly "read-write": KeyPair; readonly "read-only"?: KeyPair };
  /** The last parts of the paths, which are also the names of the actions. */
  readonly list: string;
  readonly regenerate: string;
  /** What follows the path of `regenerate`, and the body. */
  readonly toChange: (key: KeyName, listed: RawKey) => { path?: string; body?: object };
  readonly readList: (body: unknown) => ReadonlyMap<string, RawKey>;
  /** When a key was created, if the resource says so and not the list. RFC 3339. */
  readonly findCreated?: (properties: KeyProperties, key: KeyName) => string | undefined;
  /** Whether the service refuses all keys. */
  readonly isOff: (properties: KeyProperties) => boolean;
  /** Why the keys of some resources of this type cannot be rotated, and what to do, as in "(the resource) …". Absent: none is known. */
  readonly findUnfit?: (properties: KeyProperties) => string | undefined;
  /** The command that switches keys on. */
  readonly switchOn: string;
  /** The host in this domain. Absent: only Azure knows it, so the options must name it. */
  readonly toHost?: (name: string, domain: string) => string;
  /** The address of the service, according to Azure. Undefined: Azure does not say. */
  readonly findEndpoint: (properties: KeyProperties) => string | undefined;
  readonly port: number;
  /** Absent: a key is only compared with the list. */
  readonly proof?: Proof;
  /** Absent: the service has no connection strings. */
  readonly toText?: (parts: KeyParts) => string;
  /** The text contains the id of the key. */
  readonly hasIds?: true;
  /** Milliseconds after which a request whose answer was lost cannot take effect any more. */
  readonly settleTime: number;
  /** Milliseconds during which the service may refuse a new key. */
  readonly propagation: number;
}

const texts = z.record(z.string(), z.unknown());

/** A list with one field for each key. `createdAt` completes the name of the field with its time. */
export function readFields(createdAt?: string): KeyService["readList"] {
  return (body) => {
    const fields = texts.safeParse(body).data ?? {};
    return new Map(
      Object.entries(fields).flatMap(([field, value]) => {
        const created = createdAt === undefined ? undefined : fields[field + createdAt];
        if (typeof value !== "string") return [];
        return [[field, { value, ...(typeof created === "string" && { created }) }]];
      }),
    );
  };
}

const entry = z.object({
  value: z.string(),
  name: z.string().optional().catch(undefined),
  keyName: z.string().optional().catch(undefined),
  id: z.string().optional().catch(undefined),
  creationTime: z.string().optional().catch(undefined),
  lastModified: z.string().optional().catch(undefined),
});

/** A list with an array of keys in one field. */
export function readEntries(field: string): KeyService["readList"] {
  const list = z.object({ [field]: z.array(z.unknown()) });
  return (body) => {
    const entries = list.safeParse(body).data?.[field] ?? [];
    return new Map(
      entries.flatMap((one) => {
        const found = entry.safeParse(one).data;
        const name = found?.name ?? found?.keyName;
        if (found === undefined || name === undefined) return [];
        const { value, id, creationTime, lastModified } = found;
        const created = creationTime ?? lastModified;
        const more = { ...(created !== undefined && { created }), ...(id !== undefined && { id }) };
        return [[name, { value, ...more }]];
      }),
    );
  };
}

/** The request names the key in this field. */
export const inField =
  (field: string): KeyService["toChange"] =>
  ({ sent }) => ({ body: { [field]: sent } });
