import type { TokenCredential } from "@azure/identity";
import { ChangeRefusedError, ConfigError, OutcomeUnknownError } from "../../core/errors.ts";
import { Secret } from "../../core/secrets/secret.ts";
import { minute } from "../../core/time.ts";
import { findUnfitName } from "../common/connection/account-name.ts";
import { guarded } from "../guarded.ts";
import type { SettingRotator, Using } from "../rotator.ts";
import {
  concerns,
  type KeyConcern,
  type KeySeams,
  type ReadProperties,
  readResource,
  regenerate,
  requireKey,
} from "./azure-key-calls.ts";
import { examineKey } from "./azure-key-examine.ts";
import { findKeyOwner, listPublished } from "./azure-key-looks.ts";
import { requireUnpublished } from "./azure-key-published.ts";
import { retireKey } from "./azure-key-retire.ts";
import {
  describeKey,
  describeTarget,
  findKey,
  type KeyTarget,
  nameOf,
} from "./azure-key-target.ts";
import { readKeyText } from "./azure-key-text.ts";
import { verifyKey } from "./azure-key-verify.ts";
import {
  type AzureSasKeyOptions,
  azureSasKeyOptions,
  toNamespace,
  toTarget,
} from "./azure-sas-key-options.ts";

/**
 * The keys of shared access policies of Service Bus, Event Hubs and Relay. Keyturn chooses them, so that each is stored before Azure
 * receives it. So this is a type of its own: the keys of `azure-key` do not exist before Azure has created them.
 */
export function azureSasKey(
  credential: TokenCredential,
  seams: KeySeams = {},
): SettingRotator<AzureSasKeyOptions> {
  const { ca } = seams;
  const name = concerns(credential, seams);
  const toConcern = (options: AzureSasKeyOptions, account: string) =>
    name(toTarget(options), account);

  return guarded<AzureSasKeyOptions>({
    type: "azure-sas-key",
    mistakenFor: [
      "azure-service-bus",
      "azure-event-hubs",
      "azure-relay",
      "service-bus",
      "event-hubs",
    ],
    options: azureSasKeyOptions,
    capabilities: { selfService: false, admin: false, identity: true, propagation: 5 * minute },
    ...pure,

    // `connectWithin` does not apply: the request goes to Azure Resource Manager.
    async apply({ options, next, using, publishedText }, signal) {
      const concern = toConcern(options, next.account);
      requireIdentity(using, concern.target);
      requireForm(next.secret, concern);
      const { list } = await listPublished(concern, publishedText, signal);
      const before = requireKey(list, concern);
      if (before.secret.equals(next.secret)) return { credential: next };
      requireUnpublished(before.secret, publishedText, describeKey(concern.target, next.account));
      const { secret } = await regenerate(withKey(concern, next.secret), before, undefined, signal);
      if (secret.equals(next.secret)) return { credential: next };
      throw new OutcomeUnknownError(
        `${describeKey(concern.target, next.account)}: Azure set another key than the one that it received`,
      );
    },

    async retire({ options, account, using, ...ended }, signal) {
      const concern = toConcern(options, account);
      requireIdentity(using, concern.target);
      await retireKey(concern, ended, { signal, ca }, readRule);
    },

    async findOwner({ options, using, ...ownerless }, signal) {
      const concern = toConcern(options, ownerless.accounts[0] ?? "");
      requireIdentity(using, concern.target);
      return findKeyOwner(concern, ownerless, signal);
    },

    async examine({ options, account, using }, signal) {
      const concern = toConcern(options, account);
      requireIdentity(using, concern.target);
      return examineKey(concern, signal, readRule);
    },

    async verify({ options, credential: checked, note }, signal) {
      const concern = toConcern(options, checked.account);
      return verifyKey(concern, checked, { signal, ca, note }, readRule);
    },
  });
}

/** What the options alone decide. */
const pure = {
  endpoint(options: AzureSasKeyOptions) {
    const target = toTarget(options);
    const { serviceName, host, port, resource } = target;
    const more = { namespace: nameOf(target), policy: resource.names.at(-1) ?? "" };
    return { engine: `azure-${serviceName}`, host, port, more };
  },

  accountHolder: ({ resource }: AzureSasKeyOptions) => resource.toLowerCase().replace(/\/$/, ""),

  // People usually use the primary key where nothing is published yet.
  defaultAccounts: () => ["secondary", "primary"],

  findUnfitAccount(account: string) {
    const isKey = ["primary", "secondary"].includes(account);
    const unfit = "must be primary or secondary, the keys of a shared access policy";
    return findUnfitName(account) ?? (isKey ? undefined : unfit);
  },

  findUnfit: (secret: Secret) =>
    hasForm(secret)
      ? undefined
      : "must be the base64 text of 32 bytes, as Azure requires of these keys",

  toSecret: (random: Uint8Array) => new Secret(Buffer.from(random).toString("base64")),

  toConnectionString(options: AzureSasKeyOptions, { secret }: { readonly secret: Secret }) {
    const target = toTarget(options);
    const { service, host, port } = target;
    const parts = { name: nameOf(target), host, port, key: secret.reveal(), id: "" };
    return new Secret(service.toText?.(parts) ?? "");
  },

  readConnectionString: readKeyText,

  findSettleTime: (options: AzureSasKeyOptions) => toTarget(options).service.settleTime,
};

/** Clients of Microsoft refuse keys of another length, and documentation describes them as 256 bits in base64. */
function hasForm(secret: Secret): boolean {
  const bytes = Buffer.from(secret.reveal(), "base64");
  return bytes.length === 32 && bytes.toString("base64") === secret.reveal();
}

function requireForm(secret: Secret, { target, account }: KeyConcern): void {
  if (hasForm(secret)) return;
  throw new ChangeRefusedError(
    `${describeKey(target, account)}: the key is not the base64 text of 32 bytes, which Azure requires`,
  );
}

/** The request brings this key. */
function withKey(concern: KeyConcern, secret: Secret): KeyConcern {
  const { target, account } = concern;
  const sent = findKey(target, account)?.sent ?? "";
  const toChange = () => ({ body: { keyType: sent, key: secret.reveal() } });
  return { ...concern, target: { ...target, service: { ...target.service, toChange } } };
}

/** What the rule may do, and the settings of its namespace. */
const readRule: ReadProperties = async (concern, signal) => {
  const rule = await readResource(concern, signal);
  const namespace = { ...concern, target: toNamespace(concern.target) };
  return { ...(await readResource(namespace, signal)), rights: rule.rights };
};

function requireIdentity(using: Using, target: KeyTarget): void {
  if (using.as === "identity") return;
  throw new ConfigError(
    `${describeTarget(target)}: only the app's Azure identity can set keys. Set admin: managed-identity`,
  );
}
