import type { Problem as PolicyProblem } from "../../core/policy/checks/check-policy.ts";
import { type Finding, formatPath } from "../problems.ts";

/** The findings of a check. With warnings alone, the configuration can be used. */
export interface Checked {
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** Selects the findings about a policy that can be reported. Paths begin at the policy. */
export function checkPolicyDraft(malformed: boolean, found: readonly PolicyProblem[]): Checked {
  // Without the malformed field, findings about several fields may be false.
  const sound = malformed ? found.filter(isAboutOneField) : found;
  return splitBySeverity(
    sound.map((one) => ({ severity: one.severity, finding: toFinding(one, one.path) })),
  );
}

function isAboutOneField({ severity, path: [field] }: PolicyProblem): boolean {
  return severity === "error" && field !== undefined && field !== "headStart";
}

/**
 * Selects the findings that the overrides of a target add. `fields` are the overridden fields, `before` the findings about
 * the policy without them. Paths begin at the target.
 */
export function checkOverridden(
  fields: readonly string[],
  before: readonly PolicyProblem[],
  found: readonly PolicyProblem[],
): Checked {
  const known = new Set(before.map((one) => JSON.stringify(one)));
  const added = found.filter((one) => !known.has(JSON.stringify(one)));
  return splitBySeverity(
    added.map((one) => {
      const [field] = one.path;
      const isOwn = field !== undefined && fields.includes(String(field));
      const finding = isOwn
        ? toFinding(one, ["overrides", ...one.path])
        : toFinding({ ...one, message: describeConflict(one) }, ["overrides"]);
      return { severity: one.severity, finding };
    }),
  );
}

function describeConflict({ path, message }: PolicyProblem): string {
  if (path.length === 0) return message;
  return `cause a problem with ${formatPath(path)} of the policy: ${message}; change the overrides, or use another policy for this target`;
}

function toFinding({ message, firstAt }: PolicyProblem, path: Finding["path"]): Finding {
  return { path, message: firstAt === undefined ? message : `${message}; first at ${firstAt}` };
}

function splitBySeverity(
  found: readonly { readonly severity: PolicyProblem["severity"]; readonly finding: Finding }[],
): Checked {
  const withSeverity = (chosen: PolicyProblem["severity"]) =>
    found.filter(({ severity }) => severity === chosen).map(({ finding }) => finding);
  return { errors: withSeverity("error"), warnings: withSeverity("warning") };
}
