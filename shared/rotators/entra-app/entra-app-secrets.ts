import { createHash } from "node:crypto";
import { z } from "zod";
import type { Credential, Secret } from "../../core/secrets/secret.ts";
import { type Instant, toInstantAt } from "../../core/time.ts";
import type { Ended, Mark, Mint } from "../rotator.ts";

/** Decides what becomes of the secrets of an application. Everything here is pure. */

const optionalText = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);

const passwordCredential = z.object({
  keyId: optionalText,
  displayName: optionalText,
  hint: optionalText,
  endDateTime: optionalText,
});

/** An application, as Microsoft Graph shows it. Graph may leave out every field but the first two. */
export const application = z.object({
  id: z.guid(),
  appId: z.guid(),
  createdDateTime: optionalText,
  signInAudience: optionalText,
  disabledByMicrosoftStatus: optionalText,
  passwordCredentials: z.array(passwordCredential),
});

export type Application = z.output<typeof application>;
export type AppSecret = z.output<typeof passwordCredential>;

/** What a secret is at most called: Graph cuts names at a length that is documented for certificates only. */
const longestName = 64;

const mark = (targetId: string) => createHash("sha256").update(targetId).digest("hex").slice(0, 12);

/** The display name of a secret. What a cut must not remove is first; the id of the target at the end is for people. */
export const toDisplayName = ({ targetId, rotationId }: Mark): string =>
  `${rotationId} ${mark(targetId)} ${targetId}`.slice(0, longestName);

/** Whether Keyturn has created the secret for this target. */
function isOf(targetId: string, { displayName = "" }: AppSecret): boolean {
  const [rotationId = "", second] = displayName.split(" ");
  return /^[0-9A-Z]{26}$/.test(rotationId) && second === mark(targetId);
}

/** Undefined: Graph does not show its first characters. */
function isSame({ hint }: AppSecret, secret: Secret): boolean | undefined {
  return hint ? secret.reveal().startsWith(hint) : undefined;
}

/**
 * The id of a secret that works: the stored one if its first characters are those of the secret, otherwise that of the only secret that
 * it can be. Undefined: nobody knows, so nothing may be removed.
 */
function findId(
  secrets: readonly AppSecret[],
  { secret, secretId }: Credential,
): string | undefined {
  const stored = secrets.find(({ keyId }) => keyId !== undefined && keyId === secretId);
  if (stored && isSame(stored, secret) === true) return stored.keyId;
  const [only, ...others] = secrets.filter((one) => isSame(one, secret) !== false);
  const isCertain = only && others.length === 0 && isSame(only, secret) === true;
  return isCertain ? only.keyId : undefined;
}

/** When the secret ends. Undefined: nobody knows which of the secrets it is. */
export function findSecretEnd(
  { passwordCredentials: secrets }: Application,
  known: Credential,
): Instant | undefined {
  const id = findId(secrets, known);
  const end = Date.parse(
    secrets.find(({ keyId }) => keyId === id && id !== undefined)?.endDateTime ?? "",
  );
  return Number.isNaN(end) ? undefined : toInstantAt(end);
}

/** So many secrets of a target that nobody has stored may stay while they cannot be removed. */
const mostLeftOver = 3;

/** So many are removed by one call. */
const mostRemoved = 5;

/** Audiences with personal accounts, whose applications have two secrets at most. */
const personal = new Set(["AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"]);
const mostPersonal = 2;

export interface MintPlan {
  readonly publishedId?: string;
  /** To be removed first. */
  readonly orphans: readonly string[];
  /** Why no secret can be added after that, and what to do. Continues the description of the application. */
  readonly refusal?: string;
}

/** What to do before a secret is added. */
export function planMint(
  { passwordCredentials: secrets, signInAudience = "" }: Application,
  {
    mark: { targetId },
    publishedText,
    published,
    storedIds = [],
  }: Pick<Mint<unknown>, "mark" | "publishedText" | "published" | "storedIds">,
): MintPlan {
  const publishedId = published && findId(secrets, published);
  const isKnown = publishedText === undefined || publishedId !== undefined;
  const leftOver = listIds(secrets.filter((one) => isOf(targetId, one))).filter(
    (id) => id !== publishedId && !storedIds.includes(id),
  );
  const orphans = isKnown ? leftOver.slice(0, mostRemoved) : [];
  const staying = leftOver.slice(orphans.length);
  const plan = { orphans, ...(publishedId !== undefined && { publishedId }) };
  /** Without those that may be published. */
  const listUnused = (ids: readonly string[]) =>
    secrets
      .filter(({ keyId = "" }) => ids.includes(keyId) && keyId !== publishedId)
      .filter((one) => isKnown || (published && isSame(one, published.secret) === false))
      .flatMap(({ keyId = "" }) => keyId)
      .join(", ");
  if (staying.length > mostLeftOver) {
    const refusal = `it has ${staying.length} secrets that Keyturn has created and not stored. Keyturn cannot remove them${isKnown ? " all at once" : ", because Entra does not show which secret is the published one"}. Remove those that nobody uses: ${listUnused(staying)}`;
    return { ...plan, refusal };
  }
  if (personal.has(signInAudience) && secrets.length - orphans.length >= mostPersonal) {
    const others = listIds(secrets).filter((id) => !orphans.includes(id));
    const refusal = `an application for personal Microsoft accounts has ${mostPersonal} secrets at most, and this one has them. Wait until the grace of the superseded secret is over, or remove one that nobody uses: ${listUnused(others)}`;
    return { ...plan, refusal };
  }
  return plan;
}

const listIds = (secrets: readonly AppSecret[]): readonly string[] =>
  secrets.flatMap(({ keyId }) => (keyId === undefined ? [] : [keyId]));

/**
 * `unknown`: Entra does not show which secret is the one to keep. `ids` are those that should end and are certainly not that one. `unclear`: one of these may be the
 * superseded secret.
 */
export interface DiscardPlan {
  readonly is: "known" | "unknown";
  readonly ids: readonly string[];
  readonly unclear: readonly string[];
  /** The id of the superseded secret, if it had none and was found. It is one of `ids`. */
  readonly supersededId?: string;
}

/** Which secrets to end. */
export function planDiscard(
  secrets: readonly AppSecret[],
  keep: Credential,
  { targetId, ids: named, superseded }: Ended,
): DiscardPlan {
  const keptId = findId(secrets, keep);
  const isNamed = (one: AppSecret) => isOf(targetId, one) || named.includes(one.keyId ?? "");
  const others = secrets.filter(({ keyId }) => keyId === undefined || keyId !== keptId);
  const ending = others.filter(isNamed);
  if (keptId === undefined) {
    const certain = ending.filter((one) => isSame(one, keep.secret) === false);
    return { is: "unknown", ids: listIds(certain), unclear: [] };
  }
  const possible = superseded
    ? others.filter((one) => !isNamed(one) && isSame(one, superseded.secret) !== false)
    : [];
  const id = superseded && findId(possible, { ...superseded, secretId: "" });
  return id === undefined
    ? { is: "known", ids: listIds(ending), unclear: listIds(possible) }
    : { is: "known", ids: [...listIds(ending), id], unclear: [], supersededId: id };
}
