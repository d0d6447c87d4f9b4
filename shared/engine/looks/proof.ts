import { TargetUnavailableError } from "../../core/errors.ts";
import { between, type Instant, minute } from "../../core/time.ts";
import type { Session } from "../session.ts";

/** Longer than the calls take that lie between a proof and what it permits, and no longer than a claim. */
const maxProofAgeMs = 2 * minute;

declare const issued: unique symbol;

/**
 * Evidence, gathered a moment ago under the claim of this session, that something else works than what is about to be taken
 * away. Every effect that takes away a password, an account or a secret version asks for one. Only `issueProof` makes
 * it, and the rules of imports say which files may call that.
 */
export interface Proof {
  readonly [issued]: true;
}

/**
 * | of | what was just seen |
 * |---|---|
 * | `published` | a log-in with what consumers read |
 * | `pending` | a log-in with the pending secret of the open rotation |
 * | `authority` | the authority may give the account the pending secret, which is stored and was just read |
 * | `unused` | the journal: no target was ever sent the secret |
 */
export type ProofOf = "published" | "pending" | "authority" | "unused";

interface Issued {
  readonly session: Session;
  readonly of: ProofOf;
  readonly at: Instant;
}

const proofs = new WeakMap<Proof, Issued>();
const latest = new WeakMap<Session, Map<ProofOf, Proof>>();

export function issueProof(session: Session, of: ProofOf): Proof {
  const proof = Object.freeze({}) as Proof;
  proofs.set(proof, { session, of, at: session.now() });
  latest.set(session, (latest.get(session) ?? new Map<ProofOf, Proof>()).set(of, proof));
  return proof;
}

/** The latest proof of this kind that the session has, if it is still fresh. */
export function findProof(session: Session, of: ProofOf): Proof | undefined {
  const proof = latest.get(session)?.get(of);
  return proof && isFresh(session, proof) ? proof : undefined;
}

/** Throws TargetUnavailableError when too much time has passed: then the engine must look again. */
export function requireProof(session: Session, proof: Proof): void {
  if (proofs.get(proof)?.session !== session) {
    throw new RangeError("A proof of another session proves nothing.");
  }
  if (isFresh(session, proof)) return;
  throw new TargetUnavailableError(
    `${session.target.id}: too much time passed between the checks and the change, so nothing was changed`,
  );
}

function isFresh(session: Session, proof: Proof): boolean {
  const known = proofs.get(proof);
  return known !== undefined && between(known.at, session.now()) <= maxProofAgeMs;
}
