import { z } from "zod";
import type { Finding, Path, Problem } from "../problems.ts";
import { name } from "../schema/fields.ts";
import { targetFields } from "../schema/targets.ts";
import { countNodes, type Source } from "../yaml/document.ts";
import { isRecord } from "../yaml/is-record.ts";

const section = "targetDefaults";

/** What targets may share: all but what is of one target alone. */
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

/** Fields of which a target has single keys of its own and leaves the others as they are. */
const mergedByKey = ["options", "publish", "tags"];

const { type, options, admin, policy, grace, consumers, tags, publish } = targetFields.shape;

/** The schema of what targets of a file share. Options are checked with each target that has them. */
export const targetDefaultsSchema = z
  .strictObject({
    type: type.optional(),
    options: options.describe(
      "Options that targets of this type share; a target replaces single ones.",
    ),
    admin: admin.optional(),
    publish: z
      .strictObject({
        vault: name.optional().describe("The vault of the published secrets, by its name here."),
        as: z.enum(["json", "password"]).optional().describe("How they are published."),
      })
      .optional()
      .describe(publish.description ?? ""),
    policy,
    grace,
    consumers: consumers.optional(),
    tags: tags
      .optional()
      .describe("Tags that published secrets share; a target may add or replace."),
  })
  .describe("What the targets in this file share. What a target says itself comes first.");

/** Each target has all of them. */
const mostValues = 1000;

/** The source as if each of its targets said by itself what it does not say otherwise. */
export function withTargetDefaults(source: Source): Source {
  const defaults = source.value?.[section];
  const targets = source.value?.["targets"];
  if (!isRecord(defaults) || !isRecord(targets)) return source;
  if (countNodes(defaults) > mostValues) {
    const problem = source.locate({
      path: [section],
      message: `has more than ${mostValues} values`,
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

/** Options belong to a type, a grace to a pair; without a name of its own there is no secret to publish. */
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

/** Where it is written what is wrong with a target: with the target itself, or with what it shares. */
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
