import { type Rotation, schedule, type TargetRecord } from "../record/record.ts";
import { isRequestOfPerson } from "../record/rotation.ts";
import { hasOverlap, type Target, toPendingName } from "../target.ts";
import type { Finding } from "./findings.ts";

/** Why a secret has no value; the empty text if it has one. */
export type Missing = "absent" | "disabled" | "deleted" | "";

/** Why no new version of a deleted secret can be published. Undefined if the secret is not deleted. */
export function findDeleted(name: string, missing: Missing): string | undefined {
  return missing === "deleted"
    ? `the secret ${name} is deleted but not purged, so no new version can be published. Recover or purge it`
    : undefined;
}

type Wanted = Pick<Rotation, "requestedBy" | "failures">;

/**
 * Why no new version can be published when the secret that Keyturn published does not exist. It may be in the middle of a deletion, or be
 * deleted where Keyturn may not see it. If a person requests a rotation anyway, the second try assumes that the secret was purged.
 */
export function findVanished(
  { publish }: Target,
  { published }: TargetRecord,
  wanted: Wanted,
  missing: Missing,
): string | undefined {
  const isOurs = published?.vault === publish.vault && published.name === publish.name;
  const isWanted = isRequestOfPerson(wanted) && wanted.failures > 0;
  if (missing !== "absent" || !isOurs || isWanted) return undefined;
  return (
    `the secret ${publish.name}, which Keyturn published, no longer exists or is being deleted, so no new version can be published. ` +
    "Recover it, or request a rotation to publish it again"
  );
}

/** A person who requests a rotation wants a new version; the schedule does not override the operator who disabled the old one. */
export function findDisabled(
  { publish }: Target,
  { published }: TargetRecord,
  { requestedBy }: Wanted,
  missing: Missing,
): string | undefined {
  if (missing !== "disabled" || requestedBy !== schedule || !published) return undefined;
  return `the current version of ${publish.name} is disabled. Enable it, or request a rotation to replace it`;
}

/** How certain it is that Keyturn can write the published secret. `tags`: of the current version, if it can be read. */
export function judgeWritable(
  target: Target,
  tags: Readonly<Record<string, string>> | undefined,
  hasStoredPending: boolean,
): Finding {
  const about = "published secret";
  const { name, vault: published } = target.publish;
  if (tags?.["keyturn-target"] === target.id) {
    const sentence = `Keyturn wrote and can read the current version of ${name}`;
    return { about, is: "proven", sentence };
  }
  const { vault } = toPendingName(target);
  if (!hasStoredPending) {
    const sentence = `whether Keyturn can write ${name} in vault ${published} is unknown: only a write would prove it`;
    return { about, is: "unknown", sentence };
  }
  return vault === published
    ? {
        about,
        is: "likely",
        sentence: `Keyturn can write ${name}: it has just stored the pending secret in the same vault (${vault})`,
      }
    : {
        about,
        is: "unknown",
        sentence: `whether Keyturn can write ${name} in vault ${published} is unknown: pending secrets are stored in vault ${vault}`,
      };
}

/** What an examination of an account means for its change. */
export type Judgement =
  | { readonly is: "proven" | "likely" }
  | { readonly is: "obstacle" | "missing"; readonly why: string };

export function judgeExamination(examined: {
  readonly obstacles: readonly string[];
  readonly right:
    { readonly is: "proven" | "likely" } | { readonly is: "missing"; readonly why: string };
}): Judgement {
  const { obstacles, right } = examined;
  if (obstacles.length === 0) return right;
  return { is: "obstacle", why: obstacles.map((one) => one.replace(/\.$/, "")).join("; ") };
}

/** What a person should know before a change of the account, in whole sentences. A pair has no gap, whatever its system keeps. */
export function listWarnings(
  { gap, warnings = [] }: { readonly gap?: string; readonly warnings?: readonly string[] },
  target: Target,
): readonly string[] {
  return gap !== undefined && hasOverlap(target) ? [gap, ...warnings] : warnings;
}
