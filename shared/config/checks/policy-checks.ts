import type { Problem as PolicyProblem } from "../../core/policy/checks/check.ts";
import { type Finding, formatPath } from "../problems.ts";

/** What a check found, told apart by whether the configuration may be used all the same. */
export interface Checked {
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** What is wrong with a policy beyond the shape of its fields: what of it may be said. Paths begin at the policy. */
export function checkPolicyDraft(malformed: boolean, found: readonly PolicyProblem[]): Checked {
  // With a field left out, these would say what is not so.
  const sound = malformed ? found.filter(isAboutOneField) : found;
  return splitBySeverity(
    sound.map((one) => ({ severity: one.severity, finding: told(one, one.path) })),
  );
}

function isAboutOneField({ severity, path: [field] }: PolicyProblem): boolean {
  return severity === "error" && field !== undefined && field !== "headStart";
}

/**
 * What the overrides of a target, which are these `fields`, make wrong with its policy, of which `before` is what was
 * wrong already. Paths begin at the target.
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
        ? told(one, ["overrides", ...one.path])
        : told({ ...one, message: about(one) }, ["overrides"]);
      return { severity: one.severity, finding };
    }),
  );
}

function about({ path, message }: PolicyProblem): string {
  if (path.length === 0) return message;
  return `make ${formatPath(path)} wrong: ${message}; if you need it so, let the target name another policy`;
}

function told({ message, firstAt }: PolicyProblem, path: Finding["path"]): Finding {
  return { path, message: firstAt === undefined ? message : `${message}; first at ${firstAt}` };
}

function splitBySeverity(
  found: readonly { readonly severity: PolicyProblem["severity"]; readonly finding: Finding }[],
): Checked {
  const of = (wanted: PolicyProblem["severity"]) =>
    found.filter(({ severity }) => severity === wanted).map(({ finding }) => finding);
  return { errors: of("error"), warnings: of("warning") };
}
