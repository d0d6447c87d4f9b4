import { deadlines } from "../../core/deadlines.ts";
import { ConfigError, VaultUnavailableError } from "../../core/errors.ts";
import { readFactTags } from "../../core/payload/fact-tags.ts";
import { type PayloadReading, readPayload } from "../../core/payload/payload.ts";
import { findForm } from "../../core/payload/texts/forms.ts";
import type { TextForm } from "../../core/payload/texts/text-form.ts";
import { listVersionsOf } from "../../core/record/slots.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { isSameVersion, type SecretName, type VersionRef } from "../../core/target.ts";
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
  const reading = readStored(session, stored, accounts);
  if (reading.kind === "none") return undefined;
  const { credential } = reading;
  session.guard(credential.secret);
  return { ...credential, ...readFactTags(stored.tags) };
}

/**
 * Reads a credential from a stored version. Where consumers read a key without the name of its account, the account is the one for which
 * Keyturn wrote or adopted the version.
 */
export function readStored(
  session: TargetSession,
  stored: StoredSecret,
  accounts: readonly string[],
): PayloadReading {
  const { ports, target } = session;
  const rotator = ports.rotator(target.type);
  const key = rotator.readConnectionString?.(stored.value);
  const owner = rotator.findOwner && findOwner(session, stored);
  const form = findFormOf(session, stored);
  const isNamed = readPayload(stored.value, [], form).kind === "credential";
  if (owner === undefined || isNamed) return readAs(key, stored, accounts, form);
  return accounts.length > 0 && !accounts.includes(owner)
    ? { kind: "none", why: `holds the key ${owner}`, content: "text" }
    : readAs(key, stored, [owner], form);
}

/** The text form that consumers of the target read. */
function findFormOf({ ports, target }: TargetSession, { ref }: StoredSecret): TextForm | undefined {
  const { vault, name, as } = target.publish;
  if (ref.vault !== vault || ref.name !== name) return undefined;
  return findForm(as, ports.rotator(target.type).endpoint(target.options).engine);
}

function readAs(
  key: Pick<Credential, "secret" | "secretId"> | undefined,
  { value }: StoredSecret,
  accounts: readonly string[],
  form: TextForm | undefined,
): PayloadReading {
  const [only, ...others] = accounts;
  if (!key || only === undefined || others.length > 0) return readPayload(value, accounts, form);
  const credential = { account: only, ...key };
  return { kind: "credential", credential, shape: "connection string" };
}

/** The account of a version that does not name one, by version. Nothing else in a version says it. */
const owners = new WeakMap<TargetSession, Map<string, string>>();

/** Remembers whose key a version is that somebody else wrote. */
export function noteOwner(session: TargetSession, { version }: VersionRef, account: string): void {
  owners.set(session, (owners.get(session) ?? new Map<string, string>()).set(version, account));
}

function findOwner(session: TargetSession, { ref, tags }: StoredSecret): string | undefined {
  const known = session
    .record()
    .slots.find((slot) => listVersionsOf(slot).some((one) => isSameVersion(one, ref)));
  const isOurs = tags["keyturn-target"] === session.target.id;
  return (
    known?.account ??
    (isOurs ? tags["keyturn-account"] : undefined) ??
    owners.get(session)?.get(ref.version)
  );
}

function callGuarded(
  session: TargetSession,
  stored: StoredSecret | Unreadable,
): StoredSecret | Unreadable {
  if (typeof stored !== "string") session.guard(stored.value);
  return stored;
}
