import {
  type Choice,
  type Override,
  type Subject,
  toEffectivePolicy,
} from "../../core/policy/choose.ts";
import type { Finding } from "../problems.ts";
import { type CheckContext, isMalformed, resolveSecretName, type TargetDraft } from "./drafts.ts";

const known = new WeakMap<TargetDraft, { readonly choice: Choice | undefined }>();

/** Chooses the policy of a target, once for all checks. Undefined when other problems of the configuration leave the choice open. */
export function choosePolicyFor(draft: TargetDraft, context: CheckContext): Choice | undefined {
  const { choice } = known.get(draft) ?? { choice: chooseFor(draft, context) };
  known.set(draft, { choice });
  return choice;
}

function chooseFor(draft: TargetDraft, context: CheckContext): Choice | undefined {
  const { entry, fields, complete } = draft;
  const { names, policies, isAnyMalformed, isAnyMatching, onlyVault } = context;
  if (isMalformed(draft, "policy") || isMalformed(draft, "overrides")) return undefined;
  const named = fields.policy;
  if (named !== undefined) {
    if (!names.has(named)) return undefined;
    if (policies.some(({ policy, malformed }) => malformed && policy.name === named)) {
      return undefined;
    }
  } else if (isAnyMatching || isAnyMalformed) {
    // A field or policy that cannot be read might change the choice.
    if (!complete || isAnyMalformed) return undefined;
  }
  const vault = resolveSecretName(fields.publish, { onlyVault })?.vault ?? "";
  const subject = { ...toSubject(draft, vault), targetId: entry.id };
  return toEffectivePolicy(subject, context.wellFormed);
}

function toSubject(
  { fields, rotator, options }: TargetDraft,
  vault: string,
): Omit<Subject, "targetId"> {
  const { tags = {}, policy, overrides } = fields;
  const { owner } = tags;
  const environment = tags["environment"] ?? tags["env"];
  const host = options === undefined ? undefined : rotator?.endpoint(options).host;
  return {
    type: fields.type ?? "",
    vault,
    tags,
    ...(host !== undefined && { host }),
    ...(owner !== undefined && { owner }),
    ...(environment !== undefined && { environment }),
    ...(policy !== undefined && { policy }),
    ...(overrides && { override: toOverride(overrides) }),
  };
}

function toOverride({
  reason,
  ...fields
}: NonNullable<TargetDraft["fields"]["overrides"]>): Override {
  return { fields, reason };
}

/** Reports a target that several policies match equally well, or that no policy matches. */
export function checkChoice(draft: TargetDraft, context: CheckContext): Finding[] {
  const choice = choosePolicyFor(draft, context);
  return choice && "problem" in choice ? [{ path: [], message: choice.problem }] : [];
}
