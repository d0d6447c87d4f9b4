import type { z } from "zod";
import type { Choice } from "../core/policy/choose.ts";
import { type Policy, usualGrace } from "../core/policy/policy.ts";
import type { Authority, SecretName, Slot, Target } from "../core/target.ts";
import {
  findLifetime,
  findOrigin,
  overlaps,
  resolveSecretName,
  type TargetDraft,
} from "./checks/drafts.ts";
import type { Configured, ConsumerConfig, LedgerConfig, NotifierConfig } from "./config.ts";
import type { makeFileSchema } from "./schema/definition.ts";
import type { TargetInput } from "./schema/targets.ts";

export type ConfigFile = z.output<ReturnType<typeof makeFileSchema>>;

type Written = Parameters<typeof resolveSecretName>[0];
type FindSecret = (written: NonNullable<Written>) => SecretName;

/** Fills in defaults and resolves references. The files are checked, so every referenced name exists. */
export function resolve(
  files: readonly ConfigFile[],
  draftOf: (targetId: string) => Pick<TargetDraft, "options" | "rotator"> | undefined,
  choiceOf: (targetId: string) => Choice | undefined,
): Configured {
  const all = {
    vaults: mergeSections(files.map(({ vaults }) => vaults)),
    targets: mergeSections(files.map(({ targets }) => targets)),
    consumers: mergeSections(files.map(({ consumers }) => consumers)),
  };
  const once = <Field extends "api" | "ledger" | "retention">(field: Field) =>
    files.map((file) => file[field]).find((value) => value !== undefined);
  const [api, ledger, retention] = [once("api"), once("ledger"), once("retention")];
  const [onlyVault] = Object.keys(all.vaults);
  const secret: FindSecret = (written) =>
    assertDefined(resolveSecretName(written, { onlyVault }), "a vault");
  return {
    vaults: all.vaults,
    targets: Object.entries(all.targets).map(([id, target]) => {
      const choice = choiceOf(id);
      const { policy, why, passedOver } = assertDefined(
        choice && "policy" in choice ? choice : undefined,
        "a policy",
      );
      const draft = assertDefined(draftOf(id), "a draft");
      const lifetime = findLifetime(draft);
      return {
        id,
        ...resolveTarget(target, {
          ...{ policy, secret, vaults: all.vaults },
          overlaps: overlaps(draft) === true,
          origin: findOrigin(draft),
          lifetime,
        }),
        options: draft.options,
        policy: withGraceOf(target, policy, lifetime),
        policyWhy: why,
        policiesPassedOver: passedOver,
      };
    }),
    consumers: Object.fromEntries(
      Object.entries(all.consumers).map(([name, consumer]): [string, ConsumerConfig] => [
        name,
        { ...consumer, key: secret(consumer.key) },
      ]),
    ),
    notifiers: files.flatMap(({ notify }) => notify.map((one) => resolveNotifier(one, secret))),
    ...(retention !== undefined && { retention }),
    ...(api !== undefined && { api }),
    ...(ledger && { ledger: resolveLedger(ledger, secret) }),
  };
}

function resolveLedger(
  { signWith }: NonNullable<ConfigFile["ledger"]>,
  secret: FindSecret,
): LedgerConfig {
  if (!signWith) return {};
  const { key, vault } = signWith;
  const found = secret({ secret: key, ...(vault !== undefined && { vault }) });
  return { signWith: { key, vault: found.vault } };
}

interface Resolving {
  readonly policy: Policy;
  readonly secret: FindSecret;
  readonly vaults: Configured["vaults"];
  readonly overlaps: boolean;
  readonly origin: Target["origin"];
  readonly lifetime: Target["lifetime"];
}

/** The policy. The due moment of a secret that the system ends depends on the grace, which the target may set. */
const withGraceOf = (
  { grace }: TargetInput,
  policy: Policy,
  lifetime: Target["lifetime"],
): Policy => (grace === undefined || lifetime === undefined ? policy : { ...policy, grace });

function resolveTarget(
  target: TargetInput,
  { policy, secret, vaults, overlaps, origin, lifetime }: Resolving,
): Omit<Target, "id" | "options" | "policy" | "policyWhy" | "policiesPassedOver"> {
  const { type, accounts, admin, publish, grace, after, consumers, tags } = target;
  const published = secret(publish);
  const pendingVault = vaults[published.vault]?.pending;
  return {
    type,
    slots: accounts.map((account) => resolveSlot(account, secret)),
    authority: resolveAuthority(admin, secret),
    publish: { ...published, as: typeof publish === "string" ? "json" : publish.as },
    ...(pendingVault !== undefined && { pendingVault }),
    grace: accounts.length > 1 || overlaps ? (grace ?? policy.grace ?? usualGrace) : 0,
    ...(overlaps && { overlap: true }),
    ...(origin && { origin }),
    ...(lifetime !== undefined && { lifetime }),
    ...(after !== undefined && { after }),
    consumers,
    tags,
  };
}

function resolveSlot(account: TargetInput["accounts"][number], secret: FindSecret): Slot {
  if (typeof account === "string") return { account };
  const { name, initial } = account;
  return { account: name, ...(initial !== undefined && { initial: secret(initial) }) };
}

function resolveAuthority(admin: TargetInput["admin"], secret: FindSecret): Authority {
  if (admin === "self") return { as: "self" };
  if (admin === "managed-identity") return { as: "identity" };
  const { account } = admin;
  return { as: "admin", secret: secret(admin), ...(account !== undefined && { account }) };
}

function resolveNotifier(
  notifier: ConfigFile["notify"][number],
  secret: FindSecret,
): NotifierConfig {
  if (notifier.type === "webhook") return { ...notifier, key: secret(notifier.key) };
  const { key, ...rest } = notifier;
  return { ...rest, ...(key !== undefined && { key: secret(key) }) };
}

function mergeSections<T>(sections: readonly Readonly<Record<string, T>>[]): Record<string, T> {
  return Object.fromEntries(sections.flatMap((section) => Object.entries(section)));
}

function assertDefined<T>(found: T | undefined, what: string): T {
  if (found === undefined)
    throw new Error(`Bug: the configuration check did not notice that ${what} is missing`);
  return found;
}
