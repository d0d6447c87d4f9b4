import { randomBytes, randomUUID } from "node:crypto";
import { graphErrors, type GraphRefusal, Refused } from "./errors.ts";

/** Days. */
export interface GraphPolicy {
  readonly id: string;
  readonly mostDays?: number;
  readonly forbidsSecrets?: boolean;
}

export interface StoredSecret {
  readonly keyId: string;
  readonly displayName: string | null;
  readonly hint: string | null;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly addedAt: number;
}

/** A change that reaches the servers of Graph one after the other. */
type Write = (secrets: readonly StoredSecret[]) => readonly StoredSecret[];

/** One application. Servers that answer lists get each change so many lists after the one before. */
export interface GraphApplication {
  readonly id: string;
  readonly appId: string;
  signInAudience: string;
  createdDateTime: string;
  disabledByMicrosoftStatus: string | null;
  /** Of the service principal. Undefined: there is none. */
  accountEnabled: boolean | undefined;
  owners: readonly string[];
  policy: GraphPolicy | undefined;
  isDeleted: boolean;
  /** What log-ins go by. */
  secrets: readonly StoredSecret[];
  /** The texts of all secrets that it has had. */
  readonly ever: Set<string>;
  readonly views: {
    list: readonly StoredSecret[];
    readonly waiting: { left: number; write: Write }[];
  }[];
  turn: number;
  /** Called before a change of the secrets takes effect. */
  readonly save: (application: KeptApplication) => void;
}

/** What an application is after a restart of the double. */
export type KeptApplication = Pick<GraphApplication, "id" | "appId" | "secrets">;

export interface Keeping {
  /** That of an earlier double. Default: a new one without secrets. */
  readonly kept?: KeptApplication | undefined;
  /** Called with the application before a change of its secrets takes effect. */
  readonly save?: (application: KeptApplication) => void;
}

export function makeApplication(
  servers: number,
  { kept, save = () => undefined }: Keeping = {},
): GraphApplication {
  const { id, appId, secrets } = kept ?? { id: randomUUID(), appId: randomUUID(), secrets: [] };
  return {
    ...{ id, appId, secrets, save },
    signInAudience: "AzureADMyOrg",
    createdDateTime: "2025-01-01T00:00:00Z",
    disabledByMicrosoftStatus: null,
    accountEnabled: true,
    owners: ["keyturn"],
    policy: undefined,
    isDeleted: false,
    ever: new Set(secrets.map(({ text }) => text)),
    views: Array.from({ length: servers }, () => ({ list: secrets, waiting: [] })),
    turn: 0,
  };
}

/** Makes a change: at once on the first server, `lag` lists later on each further one. */
function write(application: GraphApplication, lag: number, change: Write): void {
  const { id, appId } = application;
  const secrets = change(application.secrets);
  application.save({ id, appId, secrets });
  application.secrets = secrets;
  for (const [index, view] of application.views.entries()) {
    view.waiting.push({ left: index * lag, write: change });
    catchUp(view);
  }
}

function catchUp(view: GraphApplication["views"][number]): void {
  while (view.waiting[0] && view.waiting[0].left <= 0) {
    const next = view.waiting.shift();
    if (next) view.list = next.write(view.list);
  }
}

/** What the server whose turn it is knows. */
export function lookAt(application: GraphApplication): readonly StoredSecret[] {
  const view = application.views[application.turn++ % application.views.length];
  const list = view?.list ?? [];
  for (const each of application.views) {
    for (const one of each.waiting) one.left -= 1;
    catchUp(each);
  }
  return list;
}

export interface Wanted {
  readonly displayName?: string;
  readonly start: number;
  readonly end: number;
  readonly now: number;
  readonly text?: string;
  readonly hint?: string | null;
}

const day = 86_400_000;
const personal = ["AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"];

/** Graph cuts longer names. */
const longestName = 90;

export function add(application: GraphApplication, lag: number, wanted: Wanted): StoredSecret {
  const refusal = findRefusal(application, wanted);
  if (refusal) throw new Refused(refusal);
  const { displayName } = wanted;
  const cut = displayName?.slice(0, longestName);
  return put(application, lag, { ...wanted, ...(cut && { displayName: cut }) });
}

function findRefusal(
  { policy, secrets, signInAudience }: GraphApplication,
  { start, end, now }: Wanted,
): GraphRefusal | undefined {
  const { id = "", mostDays = Infinity, forbidsSecrets = false } = policy ?? {};
  if (forbidsSecrets) return graphErrors.forbidden(id);
  if (end - start > mostDays * day) return graphErrors.lifetime(id);
  if (personal.includes(signInAudience) && secrets.length >= 2) return graphErrors.twoOnly;
  return end <= now || end <= start
    ? graphErrors.badRequest("Key credential end date is invalid.")
    : undefined;
}

/** Puts a secret there, whatever the rules say. */
export function put(
  application: GraphApplication,
  lag: number,
  { displayName, start, end, now, ...given }: Wanted,
): StoredSecret {
  // The characters of real secrets, and those that a form must encode.
  const text =
    given.text ??
    `${randomBytes(2).toString("hex")}8Q~+%&=.${randomBytes(18).toString("base64url")}`;
  const secret: StoredSecret = {
    keyId: randomUUID(),
    displayName: displayName ?? null,
    hint: given.hint === undefined ? text.slice(0, 3) : given.hint,
    text,
    start,
    end,
    addedAt: now,
  };
  application.ever.add(text);
  write(application, lag, (list) => [...list, secret]);
  return secret;
}

/** Removes a secret that the server whose turn it is knows. */
export function remove(application: GraphApplication, lag: number, keyId: string): void {
  const known = lookAt(application);
  if (!known.some((one) => one.keyId === keyId)) throw new Refused(graphErrors.noCredential(keyId));
  forget(application, lag, keyId);
}

/** Removes a secret, as the portal does. */
export function forget(application: GraphApplication, lag: number, keyId: string): void {
  write(application, lag, (list) => list.filter((one) => one.keyId !== keyId));
}
