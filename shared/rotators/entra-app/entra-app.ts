import type { TokenCredential } from "@azure/identity";
import type { AzureAccess } from "../../azure/azure-call.ts";
import { ChangeRefusedError, ConfigError, isKnownError } from "../../core/errors.ts";
import { day, minute, plus, second, toInstantAt } from "../../core/time.ts";
import { readPropagation } from "../common/double-propagation.ts";
import { guarded } from "../guarded.ts";
import type { Mint, Minted, Rotator, Using } from "../rotator.ts";
import { endSecrets } from "./entra-app-discard.ts";
import { type Concern, describe } from "./entra-app-errors.ts";
import { examineApplication } from "./entra-app-examine.ts";
import { addSecret, type Found, readApplication, removeSecret } from "./entra-app-graph.ts";
import { logIn } from "./entra-app-log-in.ts";
import {
  clientIds,
  type EntraAppOptions,
  entraAppOptions,
  findOrigins,
  readLifetime,
  toEndpoint,
} from "./entra-app-options.ts";
import { findSecretEnd, planMint, toDisplayName } from "./entra-app-secrets.ts";

export type { EntraAppOptions };

/** For tests with doubles on this machine. */
export interface EntraSeams extends Pick<AzureAccess, "ca"> {
  /** Milliseconds between two lists of secrets. */
  readonly pause?: number;
}

/**
 * Client secrets of an Entra application, through Microsoft Graph with the app's Azure identity. The account is the client id. Graph
 * creates each secret beside the others.
 */
export function entraApp(
  credential: TokenCredential,
  { pause = 2 * second, ...seams }: EntraSeams = {},
): Rotator<EntraAppOptions> {
  const accessTo = (options: EntraAppOptions): AzureAccess => ({
    ...{ credential, origin: findOrigins(options).graph },
    ...seams,
  });
  return guarded<EntraAppOptions>({
    type: "entra-app",
    mistakenFor: ["entra", "azure-ad-app", "app-registration", "service-principal"],
    options: entraAppOptions,
    capabilities: { selfService: false, admin: false, identity: true, propagation: 5 * minute },

    endpoint: toEndpoint,

    findPropagation: ({ propagation }) => readPropagation(propagation, 5 * minute),

    overlaps: () => true,

    findLifetime: readLifetime,

    async findEnd({ options, credential: known, using }, signal) {
      const concern = toConcern(known.account, options, using);
      const { application } = await readApplication(accessTo(options), concern, signal);
      return findSecretEnd(application, known);
    },

    ...clientIds,

    mint: async ({ options, account, using, ...wanted }, signal) =>
      addNew(accessTo(options), toConcern(account, options, using), wanted, signal),

    verify: ({ options, credential: tried, connectWithin, note = () => undefined }, signal) => {
      const place = { ...seams, ...(connectWithin !== undefined && { connectWithin }) };
      return logIn(tried, options, { ...place, note }, signal);
    },

    // `connectWithin` does not apply: the queries go to Microsoft Graph.
    async examine({ options, account, using, isProven }, signal) {
      const concern = toConcern(account, options, using);
      return examineApplication(accessTo(options), concern, isProven, signal);
    },

    async discard({ options, keep, ended, using, isInTime, note = () => undefined }, signal) {
      const concern = toConcern(keep.account, options, using);
      if (!ended) return;
      const logsIn = async (tried: typeof keep) =>
        (await logIn(tried, options, { ...seams, note }, signal)) === "accepted";
      const ending = { keep, ended, isInTime, pause, logsIn };
      await endSecrets(accessTo(options), concern, ending, signal);
    },
  });
}

interface Noting {
  readonly note: (sentence: string) => void;
}

/** Throws ConfigError for every other authority. */
function toConcern(account: string, options: EntraAppOptions, using: Using): Concern {
  const concern = { account, options };
  if (using.as === "identity") return concern;
  throw new ConfigError(
    `${describe(concern)}: only the app's Azure identity can add secrets. Set admin: managed-identity`,
  );
}

/** Removes what nobody has stored, and adds a secret. */
async function addNew(
  access: AzureAccess,
  concern: Concern,
  wanted: Omit<Mint<unknown>, "options" | "account" | "using">,
  signal: AbortSignal,
): Promise<Minted> {
  const { isInTime, mark, note = () => undefined } = wanted;
  const found = await readApplication(access, concern, signal);
  const endDateTime = chooseEnd(found, concern, wanted);
  const { id } = found.application;
  const { orphans, refusal, publishedId } = planMint(found.application, wanted);
  for (const keyId of orphans) {
    await removeOrphan(access, concern, { id, keyId, isInTime, note }, signal);
  }
  if (refusal !== undefined) throw new ChangeRefusedError(`${describe(concern)}: ${refusal}`);
  const passwordCredential = { displayName: toDisplayName(mark), endDateTime };
  const credential = await addSecret(access, concern, { id, passwordCredential, isInTime }, signal);
  return { credential, ...(publishedId !== undefined && { publishedId }) };
}

/** When the new secret ends, on the clock of Microsoft Graph. Throws ConfigError if it would end too early. */
function chooseEnd(
  { now }: Found,
  concern: Concern,
  { validUntil }: Pick<Mint<unknown>, "validUntil">,
): string {
  const at = toInstantAt(now);
  const end = plus(at, readLifetime(concern.options));
  if (validUntil === undefined || validUntil <= end) return end;
  const days = Math.ceil((Date.parse(validUntil) - now) / day) + 1;
  throw new ConfigError(
    `${describe(concern)}: options.lifetime is ${concern.options.lifetime}, so a new secret would end on ${end}. Consumers may need it until ` +
      `${validUntil}. Write lifetime: ${days}d, or a policy that rotates more often`,
  );
}

/** An orphan harms nobody, so a failure to remove it does not prevent a new secret. */
async function removeOrphan(
  access: AzureAccess,
  concern: Concern,
  { note, ...removed }: Parameters<typeof removeSecret>[2] & Noting,
  signal: AbortSignal,
): Promise<void> {
  try {
    await removeSecret(access, concern, removed, signal);
  } catch (error) {
    if (!isKnownError(error)) throw error;
    note(`${error.message}. A secret that nobody uses stays: ${removed.keyId}`);
  }
}
