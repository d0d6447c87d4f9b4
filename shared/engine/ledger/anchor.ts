import { deadlines } from "../../core/deadlines.ts";
import { toEvent } from "../../core/events.ts";
import type { AnchoredHead, Head, Signature } from "../../core/ledger/chain.ts";
import type { Notification } from "../../core/record/record.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { SigningKey } from "../../vaults/signer.ts";
import type { Ports } from "../ports.ts";
import { sendToNotifier } from "../send-to-notifier.ts";
import { isOutlived, requireContinuation } from "./continuation.ts";

export type AnchorPorts = Pick<Ports, "journal" | "notifiers" | "signer" | "emit" | "deadline">;

/** Why the newest head is not signed although the configuration names a key. */
export interface Unsigned {
  /** When the oldest head was sealed that waits for a signature. */
  readonly since: Instant;
  readonly why: string;
}

export interface Anchoring {
  /** The newest head: it continues the one that this process knew. */
  readonly head?: Head;
  readonly unsigned?: Unsigned;
}

/**
 * Shows the newest head to everyone who can keep it: the log, the key that signs it, and every notifier. It covers all entries before,
 * so heads that came meanwhile need no anchor of their own. What fails is tried again by the next call, for the head that is the newest
 * then. A notifier that gets a head again gets it with the same id.
 *
 * Throws ChangedLedgerError, and shows the head to nobody, if the chain does not continue from `known`, the newest head that this
 * process has seen, or from the head that the key signed last.
 */
export async function anchorLedger(ports: AnchorPorts, known?: Head): Promise<Anchoring> {
  const { ledger } = ports.journal;
  const seen = await ledger.latest();
  const key = seen && needsSignature(seen) ? await openKey(ports) : undefined;
  // Read after the key: another instance may have signed a newer head meanwhile.
  const head = key ? await ledger.latest() : seen;
  if (known && !(await isOutlived(ledger, known))) await requireContinuation(ledger, known, head);
  if (typeof key === "object" && key.last) await requireContinuation(ledger, key.last, head);
  if (!head || head.anchoredAt !== undefined) return { ...(head && { head }) };
  const unsigned = await anchor(ports, head, key);
  return { head, ...(unsigned && { unsigned }) };
}

function needsSignature({ anchoredAt, signature }: AnchoredHead): boolean {
  return anchoredAt === undefined && signature === undefined;
}

async function anchor(
  ports: AnchorPorts,
  head: AnchoredHead,
  key: SigningKey | string | undefined,
): Promise<Unsigned | undefined> {
  const { ledger } = ports.journal;
  const at = toInstant(ports.journal.now());
  if (head.toldTo === undefined) {
    const detail = `segment ${head.segment}, entries ${head.first} to ${head.sequence}, hash ${head.hash}`;
    ports.emit(toEvent({ type: "sealed", at, detail }));
  }
  const signed = head.signature ?? (typeof key === "object" ? await sign(ports, key, head) : key);
  const signature = typeof signed === "string" ? undefined : signed;
  const toldTo = await tellAll(ports, { ...head, ...(signature && { signature }) });
  const { unsignedSince = head.at } = head;
  const hasFailed = typeof signed === "string";
  const isDone = !hasFailed && ports.notifiers.every(({ name }) => toldTo.includes(name));
  await ledger.anchor(head.segment, {
    ...(signature && { signature }),
    toldTo,
    ...(isDone && { anchoredAt: at }),
    ...(hasFailed && { unsignedSince }),
  });
  return hasFailed ? { since: unsignedSince, why: signed } : undefined;
}

/** The key; undefined without one; or why it could not be used. */
async function openKey(ports: AnchorPorts): Promise<SigningKey | string | undefined> {
  try {
    return await ports.signer?.open(ports.deadline(deadlines.vault));
  } catch (error) {
    return noteFailure(ports, error);
  }
}

/** The signature, or why the key could not be used. */
async function sign(ports: AnchorPorts, key: SigningKey, head: Head): Promise<Signature | string> {
  try {
    return await key.sign(head, ports.deadline(deadlines.vault));
  } catch (error) {
    return noteFailure(ports, error);
  }
}

function noteFailure(ports: AnchorPorts, error: unknown): string {
  const why = error instanceof Error ? error.message : "the key could not be used";
  const at = toInstant(ports.journal.now());
  ports.emit(toEvent({ type: "ledger-failed", at, detail: why }));
  return why;
}

/** Returns the names of the notifiers that have received the head. */
async function tellAll(ports: AnchorPorts, head: AnchoredHead): Promise<string[]> {
  const told = await Promise.all(
    ports.notifiers.map(async (notifier) => {
      const { name } = notifier;
      const isTold =
        head.toldTo?.includes(name) === true ||
        (await sendToNotifier(ports, notifier, [toNotification(head)]));
      return isTold ? [name] : [];
    }),
  );
  return told.flat();
}

function toNotification(head: AnchoredHead): Notification {
  const { segment, first, sequence, hash, at, signature } = head;
  return {
    id: `ledger/${segment}/${hash.slice(0, 16)}`,
    type: "ledger.sealed",
    targetId: "keyturn",
    at,
    data: {
      ...{ segment, first, sequence, hash, at },
      ...(signature && { key: signature.key, signature: signature.value }),
    },
  };
}
