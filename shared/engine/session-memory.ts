import { addRefusal, clearRefusals } from "../core/looks/guesses.ts";
import type { Refusal, TargetRecord } from "../core/record/rotation.ts";
import type { Credential, Secret } from "../core/secrets/secret.ts";
import type { Instant } from "../core/time.ts";

/** What a session remembers besides the record: secrets, refused log-ins, and whether the target was changed. */
export function makeSessionMemory(known: readonly Refusal[], now: () => Instant) {
  const secrets: Secret[] = [];
  let refusals = known;
  let refusedHere: readonly Credential[] = [];
  let isUnwritten = false;
  let verifiedAt: Instant | undefined;
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
    noteVerified: () => {
      verifiedAt = now();
    },
    /** The record with what the next write must contain. */
    withMemory: (record: TargetRecord): TargetRecord =>
      withRefusals(verifiedAt === undefined ? record : { ...record, verifiedAt }, refusals),
    noteWritten: () => {
      isUnwritten = false;
    },
    hasUnwrittenChange: () => isUnwritten,
  };
}

function withRefusals(record: TargetRecord, refusals: readonly Refusal[]): TargetRecord {
  const { refusals: _, ...rest } = record;
  return refusals.length === 0 ? rest : { ...rest, refusals };
}
