import { ConfigError, KeyReusedError } from "../../core/errors.ts";
import { chooseImported } from "../../core/lifecycle/given.ts";
import type { GivenSecret } from "../../core/record/given.ts";
import { newRecord } from "../../core/record/rotation.ts";
import { findImportProblem } from "../../core/secrets/imported.ts";
import type { Secret } from "../../core/secrets/secret.ts";
import { type Target, toPendingName, type VersionRef } from "../../core/target.ts";
import { readCredential } from "../calls/stored.ts";
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
 * Whether the value of a repeated request is the one of the first. The vault still has that value, because the journal has neither the value
 * nor anything that is computed from it. Of an import that failed, all stored versions may be disabled: a repeated request then gets the
 * answer that leads to the failure. Throws KeyReusedError when an import succeeded and its value can no longer be read.
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
  const run = await ports.journal.run(target.id, rotationId);
  const { account, published } = run ?? {};
  if (account === undefined) return false;
  const first = await findStored(session, [pending, published], account);
  if (first) return first.equals(input.value);
  if (run?.state !== "done") return true;
  throw new KeyReusedError(
    `This Idempotency-Key was already used for import ${rotationId}, whose value can no longer be read, so the values cannot be compared. Use a new key`,
  );
}

async function findStored(
  session: TargetSession,
  refs: readonly (VersionRef | undefined)[],
  account: string,
): Promise<Secret | undefined> {
  for (const ref of refs) {
    const credential = ref && (await readCredential(session, ref, [account]));
    if (credential) return credential.secret;
  }
  return undefined;
}
