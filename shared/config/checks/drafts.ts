import type { z } from "zod";
import type { Policy } from "../../core/policy/policy.ts";
import type { SecretName, Target } from "../../core/target.ts";
import type { Finding } from "../problems.ts";
import { makeNamedPolicy, policySchema } from "../schema/policies.ts";
import { type ConfigRotator, targetDraft } from "../schema/targets.ts";
import { salvage, validate } from "../schema/validate.ts";
import { isRecord } from "../yaml/is-record.ts";
import type { Entry, Merged } from "../yaml/merge.ts";

/** The well-formed part of a target, so that one check reports all of its mistakes. */
export interface TargetDraft {
  readonly entry: Entry;
  readonly fields: z.output<typeof targetDraft>;
  readonly rotator: ConfigRotator | undefined;
  /** The options, parsed by the rotator's schema. Undefined when they have problems. */
  readonly options: unknown;
  readonly optionFindings: readonly Finding[];
  /** Whether the draft contains every field of the target. */
  readonly complete: boolean;
}

/** The well-formed part of a policy. `malformed`: whether fields with problems were left out. */
export interface PolicyDraft {
  readonly policy: Policy;
  readonly malformed: boolean;
}

/** What the checks of a target may use besides the target itself. */
export interface CheckContext {
  /** The only configured vault, which is the default. Undefined when several vaults are configured. */
  readonly onlyVault: string | undefined;
  readonly policies: readonly PolicyDraft[];
  /** The policies of the drafts. All targets use the same list, because lookups in it are cached by its identity. */
  readonly wellFormed: readonly Policy[];
  readonly names: ReadonlySet<string>;
  readonly isAnyMatching: boolean;
  readonly isAnyMalformed: boolean;
  /** The types of target that exist. */
  readonly types: readonly string[];
}

export function draftTarget(entry: Entry, rotators: readonly ConfigRotator[]): TargetDraft {
  const written = isRecord(entry.value) ? entry.value : {};
  const rotator = rotators.find(({ type }) => type === written["type"]);
  const path = [...entry.path, "options"];
  const given = "options" in written ? written["options"] : {};
  const checked = rotator ? validate(rotator.options, given, path) : undefined;
  const { kept = {}, complete } = salvage(targetDraft, entry.value);
  return {
    entry,
    fields: kept,
    rotator,
    options: checked?.value,
    optionFindings: checked?.findings ?? [],
    complete: complete && checked?.findings.length === 0,
  };
}

/** Whether accounts of the target's system may have two valid secrets. Undefined when the type or options with problems leave it open. */
export function overlaps({
  rotator,
  options,
}: Pick<TargetDraft, "options" | "rotator">): boolean | undefined {
  if (rotator === undefined) return undefined;
  if (rotator.overlaps === undefined) return false;
  return options === undefined ? undefined : rotator.overlaps(options);
}

/** Milliseconds after which the system ends a new secret. Undefined: it ends none, or the options have problems. */
export function findLifetime({
  rotator,
  options,
}: Pick<TargetDraft, "options" | "rotator">): number | undefined {
  return options === undefined ? undefined : rotator?.findLifetime?.(options);
}

/** Who creates the secrets, if not Keyturn. */
export function findOrigin({ rotator }: Pick<TargetDraft, "rotator">): Target["origin"] {
  if (!rotator || rotator.apply) return undefined;
  return rotator.mint ? "system" : "people";
}

/** Whether the target has the field, but with a problem, so that nothing is known about it. */
export function isMalformed(
  { entry, fields }: TargetDraft,
  field: keyof TargetDraft["fields"],
): boolean {
  return isRecord(entry.value) && field in entry.value && fields[field] === undefined;
}

export function toCheckContext(
  { entries: { vaults, policies }, unreadable }: Merged,
  rotators: readonly ConfigRotator[],
): CheckContext {
  const [onlyVault, ...others] = vaults.keys();
  const drafts = [...policies].map(([id, { value }]) => draftPolicy(id, value));
  return {
    onlyVault: others.length === 0 ? onlyVault : undefined,
    policies: drafts,
    wellFormed: drafts.map(({ policy }) => policy),
    names: new Set(policies.keys()),
    isAnyMatching: drafts.some(({ policy }) => policy.match !== undefined),
    isAnyMalformed: unreadable.has("policies") || drafts.some(({ malformed }) => malformed),
    types: rotators.map(({ type }) => type),
  };
}

function draftPolicy(id: string, value: unknown): PolicyDraft {
  const { kept = policySchema.parse({}), complete } = salvage(policySchema, value);
  return { policy: makeNamedPolicy(id, kept), malformed: !complete };
}

/** Returns the secret that is referred to. Undefined when its vault is not known. */
export function resolveSecretName(
  written: string | { readonly secret: string; readonly vault?: string | undefined } | undefined,
  { onlyVault }: Pick<CheckContext, "onlyVault">,
): SecretName | undefined {
  if (written === undefined) return undefined;
  const { secret, vault = onlyVault } = typeof written === "string" ? { secret: written } : written;
  return vault === undefined ? undefined : { vault, name: secret };
}

/** Names of secrets in Key Vault are case-insensitive. */
export function isSamePlace(a: SecretName | undefined, b: SecretName | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.vault === b.vault && a.name.toLowerCase() === b.name.toLowerCase();
}

export function listAccounts({ fields }: TargetDraft) {
  return (fields.accounts ?? []).map((written) =>
    typeof written === "string" ? { name: written, initial: undefined } : written,
  );
}
