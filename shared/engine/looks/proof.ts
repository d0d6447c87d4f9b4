import { TargetUnavailableError } from "../../core/errors.ts";
import { between, type Instant, minute } from "../../core/time.ts";
import type { TargetSession } from "../session.ts";

/** Milliseconds. Longer than the calls between a proof and the effect that it permits, and not longer than a claim. */
const maxProofAgeMs = 2 * minute;

declare const issued: unique symbol;

/**
 * Evidence, gathered a moment ago under the claim of this session, that something else works before Keyturn removes a password, an
 * account or a secret version. Every such effect requires a proof. Only `issueProof` creates proofs, and import rules limit which files
 * may call it.
 */
export interface Proof {
  readonly [issued]: true;
}

/**
 * | of | evidence |
 * |---|---|
 * | `published` | a log-in with the published secret |
 * | `pending` | a log-in with the pending secret of the open rotation |
 * | `authority` | the authority may give the account the secret of the change, which was stored or read a moment ago |
 * | `unused` | the journal shows that the secret was never sent to a target |
 */
export type ProofSubject = "published" | "pending" | "authority" | "unused";

interface Issued {
  readonly session: TargetSession;
  readonly of: ProofSubject;
  readonly at: Instant;
}

const proofs = new WeakMap<Proof, Issued>();
const latest = new WeakMap<TargetSession, Map<ProofSubject, Proof>>();

export function issueProof(session: TargetSession, of: ProofSubject): Proof {
  const proof = Object.freeze({}) as Proof;
  proofs.set(proof, { session, of, at: session.now() });
  if (of === "published") session.noteVerified();
  latest.set(session, (latest.get(session) ?? new Map<ProofSubject, Proof>()).set(of, proof));
  return proof;
}

/** Returns the session's latest proof of this kind, if it is still fresh. */
export function findProof(session: TargetSession, of: ProofSubject): Proof | undefined {
  const proof = latest.get(session)?.get(of);
  return proof && isFresh(session, proof) ? proof : undefined;
}

/** Throws TargetUnavailableError when the proof is too old: then the engine must check again. */
export function requireProof(session: TargetSession, proof: Proof): void {
  if (proofs.get(proof)?.session !== session) {
    throw new RangeError("The proof belongs to another session.");
  }
  if (isFresh(session, proof)) return;
  throw new TargetUnavailableError(
    `target ${session.target.id}: the time between the checks and the change was too long, so nothing was changed`,
  );
}

function isFresh(session: TargetSession, proof: Proof): boolean {
  const known = proofs.get(proof);
  return known !== undefined && between(known.at, session.now()) <= maxProofAgeMs;
}
