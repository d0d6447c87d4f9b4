import { AuthorityRefusedError } from "../../../core/errors.ts";

/** The outcome of work in a session of the authority. Throws AuthorityRefusedError with this message if the system refused its log-in. */
export function requireAccepted<Outcome extends object>(
  outcome: Outcome | "rejected",
  describe: () => string,
): Outcome {
  if (outcome !== "rejected") return outcome;
  throw new AuthorityRefusedError(describe());
}
