import { z } from "zod";
import type { Finding, Path, Problem } from "../problems.ts";
import { name } from "../schema/fields.ts";
import { format, targetFields } from "../schema/targets.ts";
import { countNodes, type Source } from "../yaml/document.ts";
import { isRecord } from "../yaml/is-record.ts";

const section = "targetDefaults";

/** The fields that targets may share. `accounts` and `overrides` belong to one target. */
const shared = [
  "type",
  "options",
  "admin",
  "publish",
  "policy",
  "grace",
  "consumers",
  "tags",
] as const;

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

/** Returns the source with the defaults filled in to each of its targets. */
export function withTargetDefaults(source: Source): Source {
  const defaults = source.value?.[section];
  const targets = source.value?.["targets"];
  if (!isRecord(defaults) || !isRecord(targets)) return source;
  if (countNodes(defaults) > maxValues) {
    const problem = source.locate({
      path: [section],
      message: `has more than ${maxValues} values`,
    });
    return { ...source, problems: [...source.problems, problem] };
  }
  const filled = Object.entries(targets).map(([id, target]) => [id, fill(target, defaults)]);
  return {
    ...source,
    value: { ...source.value, targets: Object.fromEntries(filled) as unknown },
    locate: (finding) => locateDefaults(source, finding, { defaults, targets }),
  };
}

function fill(target: unknown, defaults: Readonly<Record<string, unknown>>): unknown {
  if (!isRecord(target)) return target;
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

/** Options apply to targets of the same type, `grace` to pairs, and `publish` to targets that name a secret. */
function isFor(
  field: (typeof shared)[number],
  target: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>>,
): boolean {
  if (field === "options") return !("type" in target) || target["type"] === defaults["type"];
  if (field === "publish") return "publish" in target;
  const { accounts } = target;
  return field !== "grace" || !Array.isArray(accounts) || accounts.length === 2;
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
