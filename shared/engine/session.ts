import { type EventInput, toEvent } from "../core/events.ts";
import type { EntryInput } from "../core/ledger/entry.ts";
import { withClaim } from "../core/lifecycle/decide.ts";
import type { RunRecord } from "../core/record/history.ts";
import type { Refusal, TargetRecord } from "../core/record/record.ts";
import type { Credential, Secret } from "../core/secrets/secret.ts";
import type { Target } from "../core/target.ts";
import { between, type Instant, minute, toInstant } from "../core/time.ts";
import type { JournalChange } from "../stores/journal.ts";
import { makeFencedJournal, type Opening } from "./fenced-journal.ts";
import { freezeTarget } from "./fleet/frozen-targets.ts";
import type { Ports } from "./ports.ts";
import { makeProofMemory, makeSessionMemory, withRefusals } from "./session-memory.ts";

/** One worker's work on one target: its claim, the record, and the secrets it has seen. */
export interface TargetSession {
  readonly ports: Ports;
  readonly target: Target;
  /**
   * Applies the freezes that people have set meanwhile to the target. Call it before the decision whether a rotation may start or
   * continue. Throws JournalUnavailableError.
   */
  noteFreezes(): Promise<void>;
  /** The record, including staged changes. */
  record(): TargetRecord;
  /** The time of the journal's clock. */
  now(): Instant;
  /**
   * Keeps the record, and these rows of the history, for the next write. Use it only for facts that the target and the vaults also
   * show: if the worker dies before that write, its successor finds them out again.
   */
  stage(record: TargetRecord, runs?: readonly RunRecord[]): void;
  /** Adds an entry to the ledger with the next write. A rotation that ends has its entry without this. */
  log(entry: Omit<EntryInput, "id" | "at" | "targets">): void;
  /** Stores the answer to a caller's request, with its idempotency key, with the next write. */
  remember(answer: Pick<JournalChange, "request">): void;
  /** Writes staged changes, and the claim if it has not been written yet. Throws LeaseLostError. */
  flush(): Promise<void>;
  /** Writes the record conditionally and renews the claim. Throws LeaseLostError when another worker has it. */
  commit(record: TargetRecord, runs?: readonly RunRecord[]): Promise<void>;
  /** Renews the claim if it could expire during the next step. */
  hold(): Promise<void>;
  release(): Promise<void>;
  /** Whether this session has written its claim. */
  hasClaim(): boolean;
  emit(event: Omit<EventInput, "at" | "targetId">): void;
  /** Remembers a secret so that no message about this target can show it. */
  guard(secret: Secret): Secret;
  secrets(): readonly Secret[];
  /** Refused log-ins of the last minutes, including those of this worker. */
  refusals(): readonly Refusal[];
  /** Records a refused log-in. It is written at once, so that a refusal still counts after this worker dies. */
  noteRefusal(refused: Credential, version: string): Promise<void>;
  /** Removes the refusals of the account with the next write. */
  noteAccepted(account: string): void;
  /** Notes that a log-in has just proved the published secret. The next write, whenever it comes, includes the time. */
  noteVerified(): void;
  /** Whether the target refused the secret in this session, and no change was sent since. */
  hasSeenRefused(credential: Credential): boolean;
  /** Notes that a change is about to be sent. Until the next write, the journal does not know its outcome. */
  noteChange(): void;
  /** Whether a change was sent since the last write. */
  hasUnwrittenChange(): boolean;
}

/** Opens a session without writing. Its first write claims the target for `owner`, and includes everything staged by then. */
export function openSession(
  ports: Ports,
  configured: Target,
  owner: string,
  opening: Opening,
): TargetSession {
  // Other workers, whose own clocks may differ, compare the times in the record.
  const now = () => toInstant(ports.journal.now());
  const fence = opening.record.claim.fence + 1;
  let [record, target] = [opening.record, configured];
  const memory = makeSessionMemory(ports, target, opening.record, now);
  const journal = makeFencedJournal(ports.journal, target, owner, opening);
  let [stagedRuns, isStaged]: [readonly RunRecord[], boolean] = [[], false];
  const proven = makeProofMemory(target, now);
  const renew = (next: TargetRecord) => withClaim(next, { fence, owner }, now());
  async function write(next: TargetRecord, runs: readonly RunRecord[]): Promise<void> {
    const isFirst = !journal.hasClaim();
    const all = [...stagedRuns, ...runs];
    const learnt = withRefusals(proven.with(next), memory.refusals());
    record = await journal.write(learnt, memory.newsWith(all));
    [stagedRuns, isStaged] = [[], false];
    memory.noteWritten();
    if (isFirst) emit({ type: "claimed", detail: `fence ${fence}` });
  }

  const emit = emitAbout(ports, target, now);
  return {
    ports,
    get target() {
      return target;
    },
    async noteFreezes() {
      target = await freezeTarget(ports, configured);
    },
    record: () => record,
    now,
    stage(next, runs = []) {
      record = next;
      [stagedRuns, isStaged] = [[...stagedRuns, ...runs], true];
    },
    async flush() {
      if (isStaged || !journal.hasClaim()) await write(renew(record), []);
    },
    commit: (next, runs = []) => write(renew(next), runs),
    async hold() {
      const until = journal.claimedUntil();
      if (until === undefined || between(now(), until) < minute) await write(renew(record), []);
    },
    release: () => write({ ...record, claim: { fence } }, []),
    hasClaim: () => journal.hasClaim(),
    emit,
    ...memory,
    noteVerified() {
      proven.note();
      record = proven.with(record);
    },
    async noteRefusal(refused, version) {
      memory.noteRefused(refused, version);
      await write(renew(record), []);
    },
  };
}

/** Emits events about this target. */
function emitAbout(ports: Ports, { id }: Target, now: () => Instant): TargetSession["emit"] {
  return (event) => {
    ports.emit(toEvent({ ...event, at: now(), targetId: id }));
  };
}
