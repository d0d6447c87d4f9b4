import type { Instant } from "../../time.ts";

/** A problem of a policy. */
export interface Problem {
  /** `error`: the policy contradicts itself. `warning`: the policy works, but may have unexpected results. */
  readonly severity: "error" | "warning";
  /** The path from the policy to the field, such as `["freeze", 0, "to"]`. Empty for the policy as a whole. */
  readonly path: readonly (string | number)[];
  /** The predicate of a sentence whose subject is the field. */
  readonly message: string;
  /** The first moment at which the problem has an effect. */
  readonly firstAt?: Instant;
}

export function toProblem(path: Problem["path"], message: string): Problem {
  return { severity: "error", path, message };
}
