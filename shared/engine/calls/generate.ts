import { generatePassword } from "../../core/secrets/password.ts";
import { Secret } from "../../core/secrets/secret.ts";
import type { TargetSession } from "../session.ts";

/** Bytes that become a secret of a system with a form of its own. */
const randomLength = 32;

/** A new secret for the account, in the form that its system requires, or else by the rules of the policy. */
export function generateSecret(session: TargetSession, account: string): Secret {
  const { target, ports } = session;
  const made = ports.rotator(target.type).toSecret?.(ports.randomBytes(randomLength));
  if (made) return session.guard(made);
  const password = generatePassword(target.policy.password, [account], ports.randomBytes);
  return session.guard(new Secret(password));
}
