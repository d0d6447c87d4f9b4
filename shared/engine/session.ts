import { claimLength, wakeAt } from "../core/decide.ts";
import { LeaseLostError } from "../core/errors.ts";
import { type Told, toEvent } from "../core/events.ts";
import { withTheirExposure } from "../core/exposure.ts";
import { isSameRequest } from "../core/request.ts";
import type { RunRecord, TargetRecord } from "../core/rotation.ts";
import type { Secret } from "../core/secret.ts";
import type { Target } from "../core/target.ts";
import { between, type Instant, minute, plus, toInstant } from "../core/time.ts";
import { withTheirUse } from "../core/use.ts";
import type { Versioned } from "../stores/journal.ts";
import type { Ports } from "./ports.ts";

/** One worker's hold on one target: its claim, the record as last written, and the secrets it has seen. */
export interface Session {
  readonly ports: Ports;
  readonly target: Target;
  record(): TargetRecord;
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
}

/** Races that one write may lose. */
const mostRaces = 20;

/** What somebody else may write while we hold the claim: a request, an exposure, a use. Newer ones than ours stay. */
function withTheirs(next: TargetRecord, ours: TargetRecord, theirs: TargetRecord): TargetRecord {
  const merged =
    isSameRequest(theirs.request, ours.request) || !theirs.request
      ? next
      : { ...next, request: theirs.request };
  return withTheirExposure(merged, ours, theirs);
}

/** `claimed` must just have been written with `owner` in its claim. */
export function openSession(
  ports: Ports,
  target: Target,
  owner: string,
  claimed: Versioned,
): Session {
  let { record, etag } = claimed;
  const seen: Secret[] = [];
  const now = () => toInstant(ports.clock());

  /** Each lost race was against a request; whoever has a key may send many of them. */
  async function write(next: TargetRecord, runs: readonly RunRecord[]): Promise<void> {
    let wanted = next;
    for (let races = 0; ; races++) {
      try {
        const change = { record: wanted, etag, wakeAt: wakeAt(wanted, now()), runs };
        etag = await ports.journal.commit(change);
        record = wanted;
        return;
      } catch (error) {
        if (!(error instanceof LeaseLostError) || races >= mostRaces) throw error;
        wanted = await mergeTheirs(wanted);
      }
    }
  }

  async function mergeTheirs(next: TargetRecord): Promise<TargetRecord> {
    const found = await ports.journal.read(target.id);
    const theirs = found?.record.claim;
    if (!found || theirs?.fence !== record.claim.fence || theirs.owner !== owner) {
      throw new LeaseLostError(`${target.id} was claimed by another worker`);
    }
    etag = found.etag;
    const merged = withTheirs(next, record, found.record);
    // What was read now is what the next race is measured against.
    const { request, exposure } = found.record;
    record = { ...record, ...(request && { request }), ...(exposure && { exposure }) };
    return withTheirUse(merged, found.record, target, now());
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
    commit: (next, runs = []) => write(renewed(next), runs),
    async hold() {
      const left = between(now(), record.claim.until ?? now());
      if (left < minute) await write(renewed(record), []);
    },
    release: () => write({ ...record, claim: { fence: record.claim.fence } }, []),
    emit: (event) => {
      ports.emit(toEvent({ ...event, at: now(), targetId: target.id }));
    },
    guard(secret) {
      seen.push(secret);
      return secret;
    },
    secrets: () => seen,
  };
}
