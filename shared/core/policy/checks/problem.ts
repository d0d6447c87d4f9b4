import type { Instant } from "../../time.ts";

/** What is wrong with a policy. */
export interface Problem {
  /** `error`: cannot be meant. `warning`: does what it says, which may surprise. */
  readonly severity: "error" | "warning";
  /** From the policy to the field, such as `["freeze", 0, "to"]`. Empty: the policy as a whole. */
  readonly path: readonly (string | number)[];
  /** A sentence without a subject: the field is the subject. */
  readonly message: string;
  /** The first moment at which it bites. */
  readonly firstAt?: Instant;
}

export function problem(path: Problem["path"], message: string): Problem {
  return { severity: "error", path, message };
}
