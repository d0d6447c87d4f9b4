import { ChangeRefusedError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { findBrokenRule } from "../../core/secrets/server-rules.ts";
import type { Cleared } from "./preflight.ts";

/** Throws ChangeRefusedError for a password that breaks the rules that the target has shown. */
export function requireAllowed({ rules }: Cleared, { account, secret }: Credential): void {
  const broken = rules && findBrokenRule(rules, secret, account);
  if (broken !== undefined) throw new ChangeRefusedError(`${broken}; nothing was changed`);
}
