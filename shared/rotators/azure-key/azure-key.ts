import type { TokenCredential } from "@azure/identity";
import { ConfigError } from "../../core/errors.ts";
import { type Credential, Secret } from "../../core/secrets/secret.ts";
import { minute } from "../../core/time.ts";
import { findUnfitName } from "../common/connection/account-name.ts";
import { readPropagation } from "../common/double-propagation.ts";
import { guarded } from "../guarded.ts";
import type { Rotator, Using } from "../rotator.ts";
import { concerns, type KeySeams, regenerate, requireKey } from "./azure-key-calls.ts";
import { examineKey } from "./azure-key-examine.ts";
import { findKeyOwner, listPublished } from "./azure-key-looks.ts";
import { type AzureKeyOptions, azureKeyOptions, toTarget } from "./azure-key-options.ts";
import { requireUnpublished } from "./azure-key-published.ts";
import { retireKey } from "./azure-key-retire.ts";
import { settleKey } from "./azure-key-settle.ts";
import {
  describeKey,
  describeTarget,
  findKey,
  type KeyTarget,
  nameOf,
  withArticle,
} from "./azure-key-target.ts";
import { readKeyText } from "./azure-key-text.ts";
import { verifyKey } from "./azure-key-verify.ts";

export type { AzureKeyOptions };

/** What the options alone decide. */
const pure = {
  type: "azure-key",
  mistakenFor: [
    ...["azure-storage", "azure-openai", "azure-cognitive", "azure-cosmos-db", "cosmos-db"],
    ...["azure-search", "azure-redis", "azure-signalr", "azure-event-grid", "azure-batch"],
    ...["azure-app-configuration", "azure-maps", "azure-container-registry", "azure-web-pubsub"],
  ],
  options: azureKeyOptions,
  capabilities: { selfService: false, admin: false, identity: true, propagation: 5 * minute },

  endpoint(options: AzureKeyOptions) {
    const { serviceName, host, port, ...target } = toTarget(options);
    return { engine: `azure-${serviceName}`, host, port, more: { resource: nameOf(target) } };
  },

  accountHolder: ({ resource }: AzureKeyOptions) => resource.toLowerCase().replace(/\/$/, ""),

  // People usually use the first key where nothing is published yet.
  defaultAccounts: (options: AzureKeyOptions) =>
    toTarget(options)
      .pair.toReversed()
      .map(({ name }) => name),

  findUnfitAccount: (account: string, options?: AzureKeyOptions) =>
    findUnfitName(account) ?? (options && findUnfitKey(account, toTarget(options))),

  findPropagation: (options: AzureKeyOptions) =>
    readPropagation(options.propagation, toTarget(options).service.propagation),

  findSettleTime: (options: AzureKeyOptions) => toTarget(options).service.settleTime,

  findTextFault(options: AzureKeyOptions) {
    const { service } = toTarget(options);
    return "toText" in service ? undefined : `${withArticle(service)} has no connection strings`;
  },

  findPasswordFault(options: AzureKeyOptions) {
    const { service } = toTarget(options);
    return service.hasIds === true
      ? `a key of ${withArticle(service)} is of no use without its id`
      : undefined;
  },

  toConnectionString(options: AzureKeyOptions, { secret, secretId = "" }: Credential) {
    const target = toTarget(options);
    const { service, host, port } = target;
    if (service.toText === undefined) {
      throw new ConfigError(
        `${describeTarget(target)}: the service has no connection strings. Set publish.as to json or password`,
      );
    }
    if (service.hasIds === true && secretId === "") {
      throw new ConfigError(
        `${describeTarget(target)}: the id of the key is not known, and a connection string needs it. Request a rotation, or store the whole connection string`,
      );
    }
    const key = secret.reveal();
    return new Secret(service.toText({ name: nameOf(target), host, port, key, id: secretId }));
  },

  readConnectionString: readKeyText,
} satisfies Partial<Rotator<AzureKeyOptions>>;

/** The two keys of a service of Azure, which regenerates them when it is asked to: see azure-key-services.ts. */
export function azureKey(
  credential: TokenCredential,
  seams: KeySeams = {},
): Rotator<AzureKeyOptions> {
  const { ca, caFile } = seams;
  const name = concerns(credential, seams);
  const toConcern = (options: AzureKeyOptions, account: string) => name(toTarget(options), account);

  return guarded<AzureKeyOptions>({
    ...pure,

    // `connectWithin` does not apply: the request goes to Azure Resource Manager.
    async mint({ options, account, using, publishedText, isInTime }, signal) {
      const concern = toConcern(options, account);
      requireIdentity(using, concern.target);
      const { list } = await listPublished(concern, publishedText, signal);
      const before = requireKey(list, concern);
      requireUnpublished(before.secret, publishedText, describeKey(concern.target, account));
      const { secret, id } = await regenerate(concern, before, isInTime, signal);
      return { credential: { account, secret, ...(id !== "" && { secretId: id }) } };
    },

    async retire({ options, account, using, connectWithin, ...ended }, signal) {
      const concern = toConcern(options, account);
      requireIdentity(using, concern.target);
      await retireKey(concern, ended, { signal, ca, caFile, connectWithin });
    },

    async settle({ options, account, using, ...sent }, signal) {
      const concern = toConcern(options, account);
      requireIdentity(using, concern.target);
      return settleKey(concern, sent, signal);
    },

    async findOwner({ options, using, ...ownerless }, signal) {
      const concern = toConcern(options, ownerless.accounts[0] ?? "");
      requireIdentity(using, concern.target);
      return findKeyOwner(concern, ownerless, signal);
    },

    async examine({ options, account, using }, signal) {
      const concern = toConcern(options, account);
      requireIdentity(using, concern.target);
      return examineKey(concern, signal);
    },

    async verify({ options, credential: checked, connectWithin, note }, signal) {
      const concern = toConcern(options, checked.account);
      return verifyKey(concern, checked, { signal, ca, caFile, connectWithin, note });
    },
  });
}

/** Why the service has no key of this name, as `Rotator.findUnfitAccount`. */
function findUnfitKey(account: string, target: KeyTarget): string | undefined {
  if (findKey(target, account) !== undefined) return undefined;
  const names = target.pair.map(({ name }) => name).join(" or ");
  return `must be ${names}, the keys of ${withArticle(target.service)}`;
}

function requireIdentity(using: Using, target: KeyTarget): void {
  if (using.as === "identity") return;
  throw new ConfigError(
    `${describeTarget(target)}: only the app's Azure identity can regenerate keys. Set admin: managed-identity`,
  );
}
