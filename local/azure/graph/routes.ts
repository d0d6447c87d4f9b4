import { z } from "zod";
import { add, type GraphApplication, lookAt, remove, type StoredSecret } from "./application.ts";
import { type GraphAnswer, graphErrors, Refused } from "./errors.ts";

export type GraphEffect = "read" | "owners" | "rules" | "principal" | "add" | "remove";

/**
 * `owner` may do what Application.ReadWrite.OwnedBy permits, `ruler` may also read the rules of the tenant, `reader` may read
 * applications, `stranger` nothing. Graph does not know the token of `forged`.
 */
export type GraphRole = "owner" | "ruler" | "reader" | "stranger" | "forged";

export interface GraphCall {
  readonly method: string;
  readonly url: URL;
  readonly body: unknown;
  readonly token: string;
  readonly role: GraphRole | undefined;
}

export interface Directory {
  readonly applications: readonly GraphApplication[];
  /** Lists until the next server knows a change. */
  readonly lag: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What GET /policies/defaultAppManagementPolicy answers. */
  tenantRules: object;
}

export interface Route {
  readonly effect: GraphEffect;
  readonly method: string;
  readonly path: RegExp;
  readonly roles: readonly GraphRole[];
  /** Query parameters that must be there, with their values. */
  readonly query?: Readonly<Record<string, RegExp>>;
  readonly run: (directory: Directory, call: GraphCall, key: string) => GraphAnswer;
}

const application = String.raw`/v1\.0/applications(?:/|\(appId=')(?<key>[0-9a-f-]{36})(?:'\))?`;
const readers = ["owner", "ruler", "reader"] as const;
const owners = ["owner", "ruler"] as const;
const shownFields = [
  "id",
  "appId",
  "displayName",
  "createdDateTime",
  "signInAudience",
  "disabledByMicrosoftStatus",
  "passwordCredentials",
];

export const routes: readonly Route[] = [
  {
    effect: "read",
    method: "GET",
    path: new RegExp(`^${application}$`),
    roles: readers,
    query: { $select: new RegExp(`^(?:(?:${shownFields.join("|")})(?:,|$))+$`) },
    run: (directory, { url }, key) => {
      const found = find(directory, key);
      const shown = show(found);
      const fields = url.searchParams.get("$select")?.split(",") ?? [];
      return {
        status: 200,
        body: {
          "@odata.context": `${url.origin}/v1.0/$metadata#applications`,
          ...Object.fromEntries(Object.entries(shown).filter(([name]) => fields.includes(name))),
        },
      };
    },
  },
  {
    effect: "owners",
    method: "GET",
    path: new RegExp(`^${application}/owners$`),
    roles: readers,
    query: { $select: /^id$/ },
    run: (directory, _, key) => ({
      status: 200,
      body: { value: find(directory, key).owners.map((id) => ({ id })) },
    }),
  },
  {
    effect: "rules",
    method: "GET",
    path: new RegExp(`^${application}/appManagementPolicies$`),
    roles: ["ruler"],
    run: (directory, _, key) => {
      const { policy } = find(directory, key);
      return { status: 200, body: { value: policy ? [showPolicy(policy)] : [] } };
    },
  },
  {
    effect: "rules",
    method: "GET",
    path: /^\/v1\.0\/policies\/defaultAppManagementPolicy(?<key>)$/,
    roles: ["ruler"],
    run: ({ tenantRules }) => ({ status: 200, body: tenantRules }),
  },
  {
    effect: "principal",
    method: "GET",
    path: /^\/v1\.0\/servicePrincipals\(appId='(?<key>[0-9a-f-]{36})'\)$/,
    roles: readers,
    query: { $select: /^accountEnabled$/ },
    run: (directory, _, key) => {
      const { accountEnabled } = find(directory, key);
      if (accountEnabled === undefined) throw new Refused(graphErrors.notFound(key));
      return { status: 200, body: { accountEnabled } };
    },
  },
  {
    effect: "add",
    method: "POST",
    path: new RegExp(`^${application}/addPassword$`),
    roles: owners,
    run: addPassword,
  },
  {
    effect: "remove",
    method: "POST",
    path: new RegExp(`^${application}/removePassword$`),
    roles: owners,
    run: removePassword,
  },
];

function find({ applications }: Directory, key: string): GraphApplication {
  const found = applications.find(({ id, appId }) => id === key || appId === key);
  if (!found || found.isDeleted) throw new Refused(graphErrors.notFound(key));
  return found;
}

function show(found: GraphApplication) {
  const { id, appId, createdDateTime, signInAudience, disabledByMicrosoftStatus } = found;
  return {
    ...{ id, appId, createdDateTime, signInAudience, disabledByMicrosoftStatus },
    displayName: "orders",
    passwordCredentials: lookAt(found).map((one) => showSecret(one)),
  };
}

/** Graph shows seven digits of a second. */
const toGraphTime = (at: number) => new Date(at).toISOString().replace("Z", "0000Z");

function showSecret({ keyId, displayName, hint, start, end }: StoredSecret) {
  return {
    ...{ customKeyIdentifier: null, displayName, hint, keyId, secretText: null },
    startDateTime: toGraphTime(start),
    endDateTime: toGraphTime(end),
  };
}

function showPolicy({ id, mostDays, forbidsSecrets }: NonNullable<GraphApplication["policy"]>) {
  const at = { state: "enabled", restrictForAppsCreatedAfterDateTime: null };
  return {
    id,
    displayName: "rules",
    isEnabled: true,
    restrictions: {
      passwordCredentials: [
        ...(forbidsSecrets === true
          ? [{ restrictionType: "passwordAddition", maxLifetime: null, ...at }]
          : []),
        ...(mostDays === undefined
          ? []
          : [{ restrictionType: "passwordLifetime", maxLifetime: `P${String(mostDays)}D`, ...at }]),
      ],
      keyCredentials: [],
    },
  };
}

const time = z.iso.datetime({ offset: true });

/** The bodies that the published metadata permits. */
const addition = z.strictObject({
  passwordCredential: z
    .strictObject({
      displayName: z.string().nullish(),
      startDateTime: time.nullish(),
      endDateTime: time.nullish(),
    })
    .nullish(),
});
const removal = z.strictObject({ keyId: z.guid() });

function parse<Shape>(schema: z.ZodType<Shape>, body: unknown): Shape {
  const { data } = schema.safeParse(body);
  if (data === undefined) throw new Refused(graphErrors.badRequest("Invalid value specified."));
  return data;
}

const twoYears = 730 * 86_400_000;

function addPassword(directory: Directory, { body, url }: GraphCall, key: string): GraphAnswer {
  const found = find(directory, key);
  const { passwordCredential } = parse(addition, body);
  const { displayName, startDateTime, endDateTime } = passwordCredential ?? {};
  const now = directory.now();
  const start = startDateTime ? Date.parse(startDateTime) : now;
  const secret = add(found, directory.lag, {
    ...(displayName && { displayName }),
    ...{ now, start, end: endDateTime ? Date.parse(endDateTime) : start + twoYears },
  });
  return {
    status: 200,
    body: {
      "@odata.context": `${url.origin}/v1.0/$metadata#microsoft.graph.passwordCredential`,
      ...showSecret(secret),
      secretText: secret.text,
    },
  };
}

function removePassword(directory: Directory, { body }: GraphCall, key: string): GraphAnswer {
  const { keyId } = parse(removal, body);
  remove(find(directory, key), directory.lag, keyId);
  return { status: 204 };
}
