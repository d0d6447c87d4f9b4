import { deadlines } from "../../core/deadlines.ts";
import { ConfigError, VaultUnavailableError } from "../../core/errors.ts";
import { readFactTags } from "../../core/payload/fact-tags.ts";
import { parsePayload } from "../../core/payload/payload.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import type { SecretName, VersionRef } from "../../core/target.ts";
import type {
  SecretContent,
  StoredSecret,
  Unreadable,
  Vault,
  VersionInfo,
} from "../../vaults/vault.ts";
import { type Proof, requireProof } from "../looks/proof.ts";
import type { TargetSession } from "../session.ts";
import { callVault } from "./external-call.ts";

/**
 * Every call to a vault goes through this file. It sets a deadline, wraps unknown errors in VaultUnavailableError, and remembers each
 * secret for redaction.
 */
export async function readCurrent(
  session: TargetSession,
  { vault, name }: SecretName,
): Promise<StoredSecret | Unreadable> {
  const signal = session.ports.deadline(deadlines.vault);
  const call = () => requireVault(session, vault).readCurrent(name, signal);
  return callGuarded(session, await callVault(session, call));
}

/** Reads one version. It counts as absent when its vault is no longer configured, so that it cannot block a rotation. */
export async function readVersion(
  session: TargetSession,
  ref: VersionRef,
): Promise<StoredSecret | Unreadable> {
  const vault = session.ports.vault(ref.vault);
  if (!vault) return "absent";
  const signal = session.ports.deadline(deadlines.vault);
  return callGuarded(session, await callVault(session, () => vault.readVersion(ref, signal)));
}

export async function writeVersion(
  session: TargetSession,
  { vault, name }: SecretName,
  content: SecretContent,
): Promise<VersionRef> {
  session.guard(content.value);
  const { deadline, pace } = session.ports;
  const signal = deadline(deadlines.vault);
  try {
    return await callVault(session, () =>
      requireVault(session, vault).write(name, content, signal),
    );
  } catch (error) {
    const { retryAfter } = error instanceof VaultUnavailableError ? error : {};
    if (retryAfter !== undefined) await pace?.slowDown(vault, retryAfter);
    throw error;
  }
}

/** Lists every version of a secret, newest first, without values. */
export function listVersions(
  session: TargetSession,
  { vault, name }: SecretName,
): Promise<readonly VersionInfo[]> {
  const signal = session.ports.deadline(deadlines.vault);
  return callVault(session, () => requireVault(session, vault).listVersions(name, signal));
}

/** Disables a stored secret version. `proof` shows which secret works instead. */
export async function disableVersion(
  session: TargetSession,
  ref: VersionRef,
  proof: Proof,
): Promise<void> {
  await session.flush();
  requireProof(session, proof);
  const signal = session.ports.deadline(deadlines.vault);
  await callVault(session, async () => session.ports.vault(ref.vault)?.disable(ref, signal));
}

function requireVault(session: TargetSession, name: string): Vault {
  const vault = session.ports.vault(name);
  if (!vault)
    throw new ConfigError(
      `vault "${name}" does not exist in the configuration. Add it under \`vaults\``,
    );
  return vault;
}

/** Reads the credential stored as `ref` for one of `accounts`. Returns undefined when it cannot be read or belongs to another account. */
export async function readCredential(
  session: TargetSession,
  ref: VersionRef,
  accounts: readonly string[],
): Promise<Credential | undefined> {
  const stored = await readVersion(session, ref);
  return typeof stored === "string" ? undefined : toCredential(session, stored, accounts);
}

export function toCredential(
  session: TargetSession,
  stored: StoredSecret,
  accounts: readonly string[],
): Credential | undefined {
  const credential = parsePayload(stored.value, accounts);
  if (!credential) return undefined;
  session.guard(credential.secret);
  return { ...credential, ...readFactTags(stored.tags) };
}

function callGuarded(
  session: TargetSession,
  stored: StoredSecret | Unreadable,
): StoredSecret | Unreadable {
  if (typeof stored !== "string") session.guard(stored.value);
  return stored;
}
