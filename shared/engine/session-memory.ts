import { boundEntry, type EntryInput, type LedgerEntry } from "../core/ledger/entry.ts";
import { findRunEntry } from "../core/ledger/run-entries.ts";
import { withVerified } from "../core/lifecycle/heartbeat.ts";
import { addRefusal, clearRefusals } from "../core/looks/guesses.ts";
import type { RunRecord } from "../core/record/history.ts";
import type { Refusal, TargetRecord } from "../core/record/record.ts";
import type { Credential, Secret } from "../core/secrets/secret.ts";
import type { Target } from "../core/target.ts";
import type { Instant } from "../core/time.ts";
import type { JournalChange } from "../stores/journal.ts";
import type { News } from "./fenced-journal.ts";
import type { Ports } from "./ports.ts";

/** What a session remembers besides the record: secrets, refused log-ins, entries, and whether the target was changed. */
export function makeSessionMemory(
  { newId }: Pick<Ports, "newId">,
  { id }: Target,
  { refusals: known = [] }: TargetRecord,
  now: () => Instant,
) {
  const secrets: Secret[] = [];
  let refusals = known;
  let logged: readonly LedgerEntry[] = [];
  let remembered: Pick<JournalChange, "request"> = {};
  let refusedHere: readonly Credential[] = [];
  let isUnwritten = false;
  return {
    guard: (secret: Secret) => {
      secrets.push(secret);
      return secret;
    },
    secrets: (): readonly Secret[] => secrets,
    refusals: () => refusals,
    noteRefused: (refused: Credential, version: string) => {
      refusals = addRefusal(refusals, { account: refused.account, version, at: now() });
      refusedHere = [...refusedHere, refused];
    },
    noteAccepted: (account: string) => {
      refusals = clearRefusals(refusals, account);
    },
    hasSeenRefused: ({ account, secret }: Credential) =>
      refusedHere.some((one) => one.account === account && one.secret.equals(secret)),
    noteChange: () => {
      // The target may accept a secret after a change that it refused before.
      refusedHere = [];
      isUnwritten = true;
    },
    noteWritten: () => {
      [isUnwritten, logged, remembered] = [false, [], {}];
    },
    remember: (answer: Pick<JournalChange, "request">) => {
      remembered = answer;
    },
    log: (entry: Omit<EntryInput, "id" | "at" | "targets">) => {
      logged = [...logged, boundEntry({ ...entry, id: newId(), at: now(), targets: [id] })];
    },
    /** What the next write adds to the record, with the entries of the rotations that end with it. */
    newsWith: (runs: readonly RunRecord[]): News => ({
      runs,
      entries: [...runs.flatMap((run) => findRunEntry(run, newId, now()) ?? []), ...logged],
      ...remembered,
    }),
    hasUnwrittenChange: () => isUnwritten,
  };
}

/** When the session last proved the published secret. */
export function makeProofMemory(target: Target, now: () => Instant) {
  let verifiedAt: Instant | undefined;
  return {
    note(): void {
      verifiedAt = now();
    },
    /** The record with the proof: one that was read before does not undo it. */
    with: (record: TargetRecord): TargetRecord =>
      verifiedAt === undefined || record.verifiedAt === verifiedAt
        ? record
        : withVerified(record, target, verifiedAt),
  };
}

export function withRefusals(record: TargetRecord, refusals: readonly Refusal[]): TargetRecord {
  const { refusals: _, ...rest } = record;
  return refusals.length === 0 ? rest : { ...rest, refusals };
}
