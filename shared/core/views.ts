import type { Health, Rotation, RunRecord, SlotRecord, TargetRecord } from "./rotation.ts";
import type { Target, VersionRef } from "./target.ts";
import type { Instant } from "./time.ts";

/** A target as people and tools see it: what is configured and how it stands. */
export interface TargetView {
  readonly id: string;
  readonly type: string;
  /** `unreadable`: the journal has a row for it that this version cannot read, so nothing is done about it. */
  readonly health: Health | "unreadable";
  readonly accounts: readonly string[];
  readonly changedBy: Target["authority"]["as"];
  readonly secret: { readonly vault: string; readonly name: string };
  readonly policy: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The account whose secret consumers read. */
  readonly active?: string;
  readonly published?: VersionRef;
  readonly lastSuccessAt?: Instant;
  readonly lastFailure?: TargetRecord["lastFailure"];
  readonly nextDue?: Instant;
  readonly dueReason?: string;
  readonly rotation?: Pick<Rotation, "id" | "phase" | "account" | "reason" | "startedAt"> & {
    readonly nextAttemptAt?: Instant;
  };
  readonly queuedRotation?: string;
  readonly retirement?: { readonly account: string; readonly at: Instant };
  readonly slots: readonly SlotRecord[];
}

export function viewTarget(
  target: Target,
  record: TargetRecord | undefined,
  isReadable = true,
): TargetView {
  const { rotation, retirement } = record ?? {};
  return {
    id: target.id,
    type: target.type,
    health: isReadable ? (record?.health ?? "new") : "unreadable",
    accounts: target.slots.map((slot) => slot.account),
    changedBy: target.authority.as,
    secret: { vault: target.publish.vault, name: target.publish.name },
    policy: target.policy.name,
    tags: target.tags,
    ...pick(record, [
      "active",
      "published",
      "lastSuccessAt",
      "lastFailure",
      "nextDue",
      "dueReason",
    ]),
    ...(rotation && {
      rotation: {
        ...pick(rotation, ["nextAttemptAt"]),
        id: rotation.id,
        phase: rotation.phase,
        account: rotation.account,
        reason: rotation.reason,
        startedAt: rotation.startedAt,
      },
    }),
    ...(record?.request && { queuedRotation: record.request.rotationId }),
    ...(retirement && { retirement: { account: retirement.account, at: retirement.at } }),
    slots: record?.slots ?? [],
  };
}

export interface RunView extends Omit<RunRecord, "schema"> {
  /** Milliseconds from its start to its end. */
  readonly duration?: number;
}

export function viewRun(run: RunRecord): RunView {
  const { schema: _, ...rest } = run;
  const { startedAt, endedAt } = run;
  return {
    ...rest,
    ...(startedAt !== undefined &&
      endedAt !== undefined && { duration: Date.parse(endedAt) - Date.parse(startedAt) }),
  };
}

function pick<Source extends object, Key extends keyof Source>(
  source: Source | undefined,
  keys: readonly Key[],
): Partial<Pick<Source, Key>> {
  const found: Partial<Pick<Source, Key>> = {};
  for (const key of keys) if (source?.[key] !== undefined) found[key] = source[key];
  return found;
}
