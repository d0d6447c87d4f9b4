import { z } from "zod";
import { isGraph, isLogIn, isLoopback } from "../../core/secrets/addresses.ts";
import type { Endpoint } from "../../core/target.ts";
import { day, formatDuration, parseDuration } from "../../core/time.ts";
import { findUnfitName } from "../common/connection/account-name.ts";
import { doublePropagation, forDoublesOnly } from "../common/double-propagation.ts";

/** The origins of each cloud. */
const clouds = {
  public: { graph: "https://graph.microsoft.com", logIn: "https://login.microsoftonline.com" },
  "us-government": {
    graph: "https://graph.microsoft.us",
    logIn: "https://login.microsoftonline.us",
  },
  "us-government-dod": {
    graph: "https://dod-graph.microsoft.us",
    logIn: "https://login.microsoftonline.us",
  },
  china: {
    graph: "https://microsoftgraph.chinacloudapi.cn",
    logIn: "https://login.chinacloudapi.cn",
  },
} as const;

type CloudName = keyof typeof clouds;

const shortest = day;
const longest = 730 * day;
const defaultLifetime = "180d";

const onThisMachine = (isKnown: (origin: string) => boolean) =>
  z
    .string()
    .refine((origin) => isKnown(origin) && isLoopback(new URL(origin)), {
      error:
        "is for a double on this machine only, as in https://localhost:8443. Set cloud instead",
    })
    .exactOptional();

export const entraAppOptions = z
  .strictObject({
    tenant: z.guid("must be the id of the tenant (a GUID), not its domain"),
    /** The client id again, or the object id of the application. Default: the account. */
    application: z
      .guid("must be the client id or the object id of the application (a GUID)")
      .exactOptional(),
    cloud: z.enum(Object.keys(clouds) as CloudName[]).default("public"),
    /** How long a new secret is valid. */
    lifetime: z
      .string()
      .refine(isLifetime, {
        error: `must be a duration from ${formatDuration(shortest)} to ${formatDuration(longest)}, such as 180d`,
      })
      .default(defaultLifetime),
    /** The origins of doubles on this machine. */
    graph: onThisMachine(isGraph),
    logIn: onThisMachine(isLogIn),
    /** How long these doubles may refuse a new secret. */
    propagation: doublePropagation,
  })
  .superRefine(({ graph, logIn, propagation }, context) => {
    if (propagation === undefined || (graph !== undefined && logIn !== undefined)) return;
    context.addIssue({ code: "custom", path: ["propagation"], message: forDoublesOnly });
  });

export type EntraAppOptions = z.output<typeof entraAppOptions>;

function isLifetime(text: string): boolean {
  const length = parseDuration(text);
  return length !== undefined && length >= shortest && length <= longest;
}

/** Milliseconds. */
export const readLifetime = ({ lifetime }: EntraAppOptions): number => parseDuration(lifetime) ?? 0;

/** The origins of Microsoft Graph and of log-ins. */
export function findOrigins({ cloud, graph, logIn }: EntraAppOptions) {
  return { graph: graph ?? clouds[cloud].graph, logIn: logIn ?? clouds[cloud].logIn };
}

/** Where consumers request tokens. */
export function toEndpoint(options: EntraAppOptions): Endpoint {
  const { hostname, port } = new URL(findOrigins(options).logIn);
  return {
    engine: "entra",
    host: hostname,
    port: Number(port || 443),
    more: { tenantId: options.tenant },
  };
}

/** Names are compared as texts, so each application must have one form of its name. */
function findUnfitClientId(account: string): string | undefined {
  const unfit = findUnfitName(account);
  if (unfit !== undefined) return unfit;
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(account)) return undefined;
  return "must be the client id of the application (appId), a GUID in lower case, as in 3f1e0c52-6f5b-4a39-9d1f-0a1b2c3d4e5f";
}

/** The accounts of targets. */
export const clientIds = {
  accountOption: "application",

  defaultAccounts: ({ application }: EntraAppOptions) =>
    application === undefined ? undefined : [application.toLowerCase()],

  findUnfitAccount: findUnfitClientId,
};

/** Describes the application in messages. */
export const describeApplication = (account: string, { tenant }: EntraAppOptions): string =>
  `Entra application ${account} in tenant ${tenant}`;
