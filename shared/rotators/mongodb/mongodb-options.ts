import { z } from "zod";
import { hostName } from "../../core/secrets/addresses.ts";
import type { Endpoint } from "../../core/target.ts";
import { second } from "../../core/time.ts";
import { bracketed, host, isBracketed, isHostName } from "../common/connection/host.ts";
import { withoutRepeatedServers } from "../common/connection/repeated.ts";
import { tls } from "../common/connection/tls.ts";
import { findUnsupported, isAzureDocumentDb } from "./mongodb-services.ts";

const memberForm = {
  message:
    "must be a host name or an IP address, a colon and a port. IPv6 has brackets: [::1]:27017",
  abort: true,
};
const member = z
  .string()
  .regex(new RegExp(`^(?:${hostName}|${bracketed}):[0-9]{1,5}$`), memberForm)
  .refine((text) => isMember(text.slice(0, text.lastIndexOf(":"))), memberForm)
  .refine((text) => isPort(Number(text.slice(text.lastIndexOf(":") + 1))), {
    message: "must end with a port from 1 to 65535",
  });
/** The SRV records are those of `_mongodb._tcp.` and this name, so it must have a domain. */
const srvHost = z.string().regex(new RegExp(`^(?=[^.]+\\.[^.]+)${hostName}$`), {
  error: ({ input }) =>
    String(input).startsWith("mongodb+srv://")
      ? "must be written without mongodb+srv://, and without a user, a path and options"
      : "must be the host name of a mongodb+srv connection string",
});

const isMember = (at: string): boolean => isHostName(at) || isBracketed(at);
const isPort = (port: number): boolean => port >= 1 && port <= 65_535;

/** What the server allows. */
const database = z
  .string()
  .refine((name) => name !== "$external", {
    message: "$external has no passwords: its users log in with certificates, Kerberos or LDAP",
    abort: true,
  })
  .regex(/^[^\s\0/\\."$*<>:|?]{1,63}$/, "must be the name of a database");

export const mongodbOptions = z
  .strictObject({
    /** A single server, the primary, or the only mongos. */
    host: host.exactOptional(),
    port: z.int().min(1).max(65535).default(27017),
    /** The members of a replica set, or every mongos, as `name:port`. Replaces host and port. */
    hosts: z.array(member).min(1).exactOptional(),
    /** The host of a `mongodb+srv` connection string. DNS names the members. Replaces host and port. */
    srvHost: srvHost.exactOptional(),
    /** The name of the replica set of `hosts` or `srvHost`. */
    replicaSet: z
      .string()
      .regex(/^[\w.-]+$/, "must be the name of a replica set")
      .exactOptional(),
    /** The database that consumers use. It has no effect on the log-in. */
    database: database.default("test"),
    /** The authentication database of the accounts. */
    authDatabase: database.default("admin"),
    /** The authentication database of the admin account. */
    adminAuthDatabase: database.default("admin"),
    tls: tls.prefault({}),
  })
  .refine(
    (options) =>
      [options.host, options.hosts, options.srvHost].filter((one) => one !== undefined).length ===
      1,
    { path: ["host"], message: "must have exactly one of host, hosts and srvHost" },
  )
  .refine(({ replicaSet, host: one }) => replicaSet === undefined || one === undefined, {
    path: ["replicaSet"],
    message: "has no effect without hosts or srvHost",
  })
  .superRefine((options, context) => {
    for (const name of listHostNames(options)) {
      const message = findUnsupported(name);
      if (message === undefined) continue;
      context.addIssue({ code: "custom", path: [hostField(options)], message });
      return;
    }
    if (!isOnDocumentDb(options)) return;
    if (options.srvHost === undefined) {
      const message =
        "is a host of Azure DocumentDB, whose servers only DNS names; write it as srvHost, without a port";
      context.addIssue({ code: "custom", path: [hostField(options)], message });
    }
    for (const field of ["authDatabase", "adminAuthDatabase"] as const) {
      if (options[field] === "admin") continue;
      const message = "must be admin: Azure DocumentDB has users in no other database";
      context.addIssue({ code: "custom", path: [field], message });
    }
  })
  .superRefine(
    withoutRepeatedServers(({ hosts = [] }) =>
      hosts.map((address, index) => ({ path: ["hosts", index], address })),
    ),
  );

export type MongodbOptions = z.output<typeof mongodbOptions>;

type Hosts = Pick<MongodbOptions, "host" | "port" | "hosts" | "srvHost">;

function hostField({ host: one, hosts }: Hosts): string {
  return one !== undefined ? "host" : hosts === undefined ? "srvHost" : "hosts";
}

function listHostNames({ host: one, hosts = [], srvHost: srv }: Hosts): readonly string[] {
  return [
    ...(one === undefined ? [] : [one]),
    ...hosts.map((each) => splitMember(each).host),
    ...(srv === undefined ? [] : [srv]),
  ];
}

export const isOnDocumentDb = (options: Hosts): boolean =>
  listHostNames(options).some(isAzureDocumentDb);

/** The configured addresses as `name:port`, with brackets around IPv6; the host alone for SRV. */
export function listMembers({ host: one = "", port, hosts, srvHost: srv }: Hosts): string[] {
  if (srv !== undefined) return [srv];
  return hosts ?? [`${one.includes(":") ? `[${one}]` : one}:${port}`];
}

/** Without credentials, because the driver repeats a connection string in its errors. */
export function toConnectionString(options: Hosts): string {
  const scheme = options.srvHost === undefined ? "mongodb" : "mongodb+srv";
  return `${scheme}://${listMembers(options).join(",")}/`;
}

/** The options of a direct connection to one member. */
export function aimAt(options: MongodbOptions, address: string): MongodbOptions {
  const { hosts: _h, srvHost: _s, replicaSet: _r, ...rest } = options;
  return { ...rest, ...splitMember(address) };
}

function splitMember(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  const bare = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return { host: bare, port: Number(address.slice(colon + 1)) };
}

/** Every mongos, where `hosts` lists several. Only a replica set has a name, so other lists are lists of mongos. */
export function listRouters({ hosts = [], replicaSet }: MongodbOptions): readonly string[] {
  return replicaSet === undefined && hosts.length > 1 ? hosts : [];
}

/**
 * A mongos keeps users in memory for `userCacheInvalidationIntervalSecs`, which is 30 s. DNS may name several mongos. Milliseconds.
 */
export function findPropagation(options: MongodbOptions): number {
  const { srvHost: srv, replicaSet } = options;
  const mayHaveRouters =
    (srv !== undefined && replicaSet === undefined && !isOnDocumentDb(options)) ||
    listRouters(options).length > 0;
  return mayHaveRouters ? 35 * second : 0;
}

/** The names and values of `more` are those of a connection string, except for `scheme`, which is its beginning. */
export function toEndpoint(options: MongodbOptions): Endpoint {
  const { hosts, srvHost: srv, replicaSet, database: name, authDatabase, tls: secure } = options;
  return {
    engine: "mongodb",
    ...findFirst(options),
    database: name,
    ...(hosts !== undefined && { members: hosts }),
    more: {
      ...(srv !== undefined && { scheme: "mongodb+srv" }),
      ...(replicaSet !== undefined && { replicaSet }),
      authSource: authDatabase,
      tls: String(secure.mode !== "disable"),
    },
  };
}

function findFirst({ host: one, port, hosts, srvHost: srv }: Hosts) {
  const [first] = hosts ?? [];
  return first === undefined ? { host: one ?? srv ?? "", port } : splitMember(first);
}
