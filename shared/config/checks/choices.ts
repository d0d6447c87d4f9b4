import {
  type Choice,
  effectivePolicy,
  type Override,
  type Subject,
} from "../../core/policy/choose.ts";
import type { Finding } from "../problems.ts";
import { type CheckContext, resolveSecretName, type TargetDraft } from "./drafts.ts";

const known = new WeakMap<TargetDraft, { readonly choice: Choice | undefined }>();

/** The policy of a target; undefined when its other problems leave open which one that is. Several checks ask for it. */
export function choosePolicyFor(
  draft: TargetDraft,
  surroundings: CheckContext,
): Choice | undefined {
  const { choice } = known.get(draft) ?? { choice: chooseFor(draft, surroundings) };
  known.set(draft, { choice });
  return choice;
}

function chooseFor(draft: TargetDraft, surroundings: CheckContext): Choice | undefined {
  const { entry, fields, complete } = draft;
  const { names, isAnyMalformed, isAnyMatching, onlyVault } = surroundings;
  const named = fields.policy;
  if (named !== undefined) {
    if (!names.has(named)) return undefined;
  } else if (isAnyMatching || isAnyMalformed) {
    // What cannot be read might have decided.
    if (!complete || isAnyMalformed) return undefined;
  }
  const vault = resolveSecretName(fields.publish, { onlyVault })?.vault ?? "";
  const subject = { ...toSubject(draft, vault), targetId: entry.id };
  return effectivePolicy(subject, surroundings.wellFormed);
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

/** Several policies that match alike, or none at all. */
export function checkChoice(draft: TargetDraft, surroundings: CheckContext): Finding[] {
  const choice = choosePolicyFor(draft, surroundings);
  return choice && "problem" in choice ? [{ path: [], message: choice.problem }] : [];
}
