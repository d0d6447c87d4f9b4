import { ConfigError } from "../../core/errors.ts";
import { chooseImported } from "../../core/lifecycle/given.ts";
import type { GivenSecret } from "../../core/record/given.ts";
import { newRecord } from "../../core/record/rotation.ts";
import { findImportProblem } from "../../core/secrets/imported.ts";
import type { Secret } from "../../core/secrets/secret.ts";
import { type Target, toPendingName, type VersionRef } from "../../core/target.ts";
import { readCredential } from "../calls/reach.ts";
import { storePending } from "../phases/publication.ts";
import type { Ports } from "../ports.ts";
import { openSession, type TargetSession } from "../session.ts";
import type { Busy } from "../work/busy.ts";
import { type Before, type GivenInput, type GivenResult, requestGiven } from "./given.ts";

export interface ImportInput extends GivenInput {
  /** The password that somebody else issued. */
  readonly value: Secret;
  /** Default: the account that a rotation would change. */
  readonly account?: string;
  /** Whether Keyturn sets the password if the target does not have it already. */
  readonly mayApply: boolean;
}

/**
 * Stores a secret that somebody else issued as a pending version, and queues a rotation that puts it in force. The secret is only in the
 * vault: a version whose rotation could not be queued was never given to anyone, and is disabled later. Throws ConfigError for a secret
 * that the target cannot have, and VaultUnavailableError.
 */
export async function importSecret(
  ports: Ports,
  target: Target,
  input: ImportInput,
): Promise<GivenResult> {
  requireAccount(target, input);
  requireUsable(ports, target, input);
  let stored: GivenSecret | undefined;
  return requestGiven(ports, target, input, {
    by: "import",
    isSame: (rotationId, ref) => isSameImport({ ports, target, input }, rotationId, ref),
    async prepare(before) {
      const wanted = chooseImported(before.record, target, input);
      if (stored?.account === wanted.account) return { ...stored, ...wanted };
      const ref = await store(ports, target, input, { ...before, ...wanted });
      if ("busy" in ref) return ref;
      stored = { by: "import", ref, ...wanted };
      return stored;
    },
  });
}

function requireAccount({ id, slots }: Target, { account }: ImportInput): void {
  if (account === undefined || slots.some((slot) => slot.account === account)) return;
  const names = slots.map((slot) => slot.account).join(", ");
  throw new ConfigError(`\`account\` must be an account of target ${id}: ${names}`);
}

/** Throws ConfigError for a value that no account of the target can have. */
function requireUsable(
  ports: Ports,
  target: Target,
  { value, account = target.slots[0]?.account ?? "" }: ImportInput,
): void {
  const problem =
    findImportProblem({ account, secret: value }, target) ??
    ports.rotator(target.type).findUnfit?.(value);
  if (problem !== undefined) throw new ConfigError(problem);
}

/** Milliseconds. A vault that is busier than that is not worth waiting for. */
const maxWaitMs = 5_000;

async function store(
  ports: Ports,
  target: Target,
  { value }: ImportInput,
  { record, found, rotationId, account }: Before & Pick<GivenSecret, "account">,
): Promise<VersionRef | Busy> {
  const session = openSession(ports, target, ports.newId(), { record, etag: found?.etag });
  const credential = { account, secret: session.guard(value) };
  const name = toPendingName(target);
  const wait = (await ports.pace?.take(name.vault, 1, maxWaitMs)) ?? 0;
  if (wait > maxWaitMs) {
    return {
      busy: `Vault ${name.vault} accepts no more new versions now. Nothing was recorded. Try again.`,
    };
  }
  if (wait > 0) await ports.pause(wait);
  return storePending(session, rotationId, credential);
}

interface Repeated {
  readonly ports: Ports;
  readonly target: Target;
  readonly input: ImportInput;
}

/**
 * Whether the value of a repeated request is the one of the first, which the vault still has: the journal has neither the value nor
 * anything that is computed from it.
 */
async function isSameImport(
  { ports, target, input }: Repeated,
  rotationId: string,
  pending: VersionRef,
): Promise<boolean> {
  const session = openSession(ports, target, ports.newId(), {
    record: newRecord(target.id),
    etag: undefined,
  });
  session.guard(input.value);
  const { account, published } = (await ports.journal.run(target.id, rotationId)) ?? {};
  if (account === undefined) return false;
  return isStoredIn(session, [pending, published], account, input.value);
}

async function isStoredIn(
  session: TargetSession,
  refs: readonly (VersionRef | undefined)[],
  account: string,
  value: Secret,
): Promise<boolean> {
  for (const ref of refs) {
    const credential = ref && (await readCredential(session, ref, [account]));
    if (credential) return credential.secret.equals(value);
  }
  return false;
}
