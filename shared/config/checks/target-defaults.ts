import { z } from "zod";
import type { Finding, Path, Problem } from "../problems.ts";
import { name } from "../schema/fields.ts";
import { type ConfigRotator, format, targetFields } from "../schema/targets.ts";
import { countNodes, type Source } from "../yaml/document.ts";
import { isRecord } from "../yaml/is-record.ts";
import { overlaps } from "./drafts.ts";
import { mapTargets } from "./map-targets.ts";

const section = "targetDefaults";

/** The fields that targets may share. `accounts` and `overrides` belong to one target. */
const shared = ["type", "options", "admin", "publish", "policy", "consumers", "tags"] as const;

/** Fields that are merged key by key: a target replaces single keys and keeps the others. */
const mergedByKey = ["options", "publish", "tags"];

const { type, options, admin, policy, grace, consumers, tags, publish } = targetFields.shape;

/** The schema of `targetDefaults`. Shared options are checked with each target that gets them. */
export const targetDefaultsSchema = z
  .strictObject({
    type: type.optional(),
    options: options.describe(
      "Options for targets of this type. A target can replace single options.",
    ),
    admin: admin.optional(),
    publish: z
      .strictObject({
        vault: name.optional().describe("Name of the vault for the published secrets."),
        as: format.optional().describe("Format of the published secrets."),
      })
      .optional()
      .describe(publish.description ?? ""),
    policy,
    grace,
    consumers: consumers.optional(),
    tags: tags
      .optional()
      .describe("Tags for all published secrets. A target can add or replace tags."),
  })
  .describe(
    "Default values for the targets in this file. A field of a target replaces its default.",
  );

/** Every target gets a copy of all shared values, so this bounds the memory that a small file can use. */
const maxValues = 1000;
const isTooLarge = (defaults: unknown): boolean => countNodes(defaults) > maxValues;

/** Returns the source with the defaults filled in to each of its targets, except `grace`, which depends on the rotator. */
export function withTargetDefaults(source: Source): Source {
  const defaults = source.value?.[section];
  const targets = source.value?.["targets"];
  if (!isRecord(defaults) || !isRecord(targets)) return source;
  if (isTooLarge(defaults)) {
    const problem = source.locate({
      path: [section],
      message: `has more than ${maxValues} values`,
    });
    return { ...source, problems: [...source.problems, problem] };
  }
  return {
    ...mapTargets(source, (target) => fill(target, defaults)),
    locate: (finding) => locateDefaults(source, finding, { defaults, targets }),
  };
}

function fill(
  target: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>>,
): unknown {
  const filled: Record<string, unknown> = { ...target };
  for (const field of shared) {
    if (!(field in defaults) || !isFor(field, target, defaults)) continue;
    const own = field === "publish" ? asMapping(target[field]) : target[field];
    if (!(field in target)) filled[field] = defaults[field];
    else if (mergedByKey.includes(field) && isRecord(own) && isRecord(defaults[field])) {
      filled[field] = { ...defaults[field], ...own };
    }
  }
  return filled;
}

/** Options apply to targets of the same type, and `publish` to targets that name a secret. */
function isFor(
  field: (typeof shared)[number],
  target: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>>,
): boolean {
  if (field === "options") return !("type" in target) || target["type"] === defaults["type"];
  return field !== "publish" || "publish" in target;
}

/**
 * Returns the source with the default grace filled in to the targets that can have one: pairs, and single accounts that may have two valid
 * secrets. The accounts of `defaultAccounts` must be there already.
 */
export function withDefaultGrace(source: Source, rotators: readonly ConfigRotator[]): Source {
  const defaults = source.value?.[section];
  if (!isRecord(defaults) || !("grace" in defaults) || isTooLarge(defaults)) return source;
  const { grace: common } = defaults;
  return mapTargets(source, (target) =>
    "grace" in target || !hasGrace(target, rotators) ? target : { ...target, grace: common },
  );
}

function hasGrace(
  { accounts, type: written, options: given }: Readonly<Record<string, unknown>>,
  rotators: readonly ConfigRotator[],
): boolean {
  if (!Array.isArray(accounts) || accounts.length === 2) return true;
  const rotator = rotators.find((one) => one.type === written);
  const parsed = rotator?.options.safeParse(given ?? {});
  return parsed?.success === true && overlaps({ rotator, options: parsed.data }) === true;
}

function asMapping(written: unknown): unknown {
  return typeof written === "string" ? { secret: written } : written;
}

/** Locates a finding about a target: at the target itself, or at the default that it got. */
function locateDefaults(
  { locate }: Source,
  finding: Finding,
  {
    defaults,
    targets,
  }: Readonly<Record<"defaults" | "targets", Readonly<Record<string, unknown>>>>,
): Problem {
  const [first, id, field, key] = finding.path;
  const target = first === "targets" && typeof id === "string" ? targets[id] : undefined;
  if (!isRecord(target) || typeof field !== "string") return locate(finding);
  const own = target[field];
  if (field === "publish" && typeof own === "string" && key === "secret") {
    return locate({ ...finding, path: finding.path.slice(0, 3) });
  }
  if (isShared(own, defaults[field], { isThere: field in target, key })) {
    const path: Path = [section, ...finding.path.slice(2)];
    return { ...locate({ ...finding, path }), sharedBy: String(id) };
  }
  return locate(finding);
}

function isShared(
  own: unknown,
  common: unknown,
  { isThere, key }: { readonly isThere: boolean; readonly key: string | number | undefined },
): boolean {
  if (!isThere)
    return common !== undefined && (key === undefined || !isRecord(common) || key in common);
  if (!isRecord(common) || typeof key !== "string" || !(key in common)) return false;
  return typeof own === "string" || (isRecord(own) && !(key in own));
}
