import { claimLength, wakeAt } from "../core/decide.ts";
import { LeaseLostError } from "../core/errors.ts";
import { type Told, toEvent } from "../core/events.ts";
import { mergeConcurrent, withCallersFields } from "../core/merge-concurrent.ts";
import type { Refusal, RunRecord, TargetRecord } from "../core/rotation.ts";
import type { Credential, Secret } from "../core/secret.ts";
import type { Target } from "../core/target.ts";
import { between, type Instant, minute, plus, toInstant } from "../core/time.ts";
import type { Versioned } from "../stores/journal.ts";
import type { Ports } from "./ports.ts";
import { sessionMemory, withRefusals } from "./session-memory.ts";

/** One worker's hold on one target: its claim, the record as last written, and the secrets it has seen. */
export interface Session {
  readonly ports: Ports;
  readonly target: Target;
  record(): TargetRecord;
  /** By the journal's clock. */
  now(): Instant;
  /** Writes the record conditionally and renews the claim. Throws LeaseLostError when it is somebody else's. */
  commit(record: TargetRecord, runs?: readonly RunRecord[]): Promise<void>;
  /** Renews the claim if it could end within the next step. */
  hold(): Promise<void>;
  release(): Promise<void>;
  emit(event: Omit<Told, "at" | "targetId">): void;
  /** Remembers a secret so that no message about this target can show it. */
  guard(secret: Secret): Secret;
  secrets(): readonly Secret[];
  /** Refused log-ins of the last minutes, those of this worker included. */
  refusals(): readonly Refusal[];
  /** Written to the journal at once: a worker that dies must not forget a guess. */
  noteRefusal(refused: Credential, version: string): Promise<void>;
  /** The refusals of the account are forgotten with the next commit. */
  noteAccepted(account: string): void;
  /** Whether this session has seen the secret refused, and has changed nothing since. */
  hasSeenRefused(credential: Credential): boolean;
  /** A change is about to be sent; until the next commit the journal does not know how it ended. */
  noteChange(): void;
  /** Whether a change was sent since the last commit. */
  hasUnwrittenChange(): boolean;
}

/** Races that one write may lose. Each is lost to a caller's request; anyone with a key may send many of them. */
const maxRaces = 20;

/** `claimed` must just have been written with `owner` in its claim. */
export function openSession(
  ports: Ports,
  target: Target,
  owner: string,
  claimed: Versioned,
): Session {
  let { record, etag } = claimed;
  // Times in the record are compared by other workers, whose own clocks may differ.
  const now = () => toInstant(ports.journal.now());
  const memory = sessionMemory(record.refusals ?? [], now);

  async function write(next: TargetRecord, runs: readonly RunRecord[]): Promise<void> {
    let wanted = withRefusals(next, memory.refusals());
    for (let races = 0; ; races++) {
      try {
        const change = { record: wanted, etag, wakeAt: wakeAt(wanted, now()), runs };
        etag = await ports.journal.commit(change);
        record = wanted;
        return;
      } catch (error) {
        if (!(error instanceof LeaseLostError) || races >= maxRaces) throw error;
        wanted = await mergeRemote(wanted);
      }
    }
  }

  async function mergeRemote(local: TargetRecord): Promise<TargetRecord> {
    const found = requireOwn(await ports.journal.read(target.id), record, owner);
    etag = found.etag;
    const remote = found.record;
    const merged = mergeConcurrent({ base: record, local, remote }, target, now());
    record = withCallersFields(record, remote);
    return merged;
  }

  const renewed = (next: TargetRecord): TargetRecord => ({
    ...next,
    claim: { fence: record.claim.fence, owner, until: plus(now(), claimLength) },
  });

  return {
    ports,
    target,
    record: () => record,
    now,
    async commit(next, runs = []) {
      await write(renewed(next), runs);
      memory.noteWritten();
    },
    async hold() {
      const left = between(now(), record.claim.until ?? now());
      if (left < minute) await write(renewed(record), []);
    },
    release: () => write({ ...record, claim: { fence: record.claim.fence } }, []),
    emit: (event) => {
      ports.emit(toEvent({ ...event, at: now(), targetId: target.id }));
    },
    ...memory,
    async noteRefusal(refused, version) {
      memory.noteRefused(refused, version);
      await write(renewed(record), []);
    },
  };
}

/** What the journal holds, if it still says that the target is ours. Throws LeaseLostError. */
function requireOwn(found: Versioned | undefined, ours: TargetRecord, owner: string): Versioned {
  const claim = found?.record.claim;
  if (found && claim?.fence === ours.claim.fence && claim.owner === owner) return found;
  throw new LeaseLostError(`${ours.targetId} was claimed by another worker`);
}
