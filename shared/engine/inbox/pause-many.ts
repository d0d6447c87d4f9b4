import { splitIntoChunks } from "../../core/chunks.ts";
import { ConfigError, KeyReusedError, LeaseLostError } from "../../core/errors.ts";
import type { Target } from "../../core/target.ts";
import type { TargetFilter } from "../../core/target-filter.ts";
import { JournalUnavailableError, UnreadableRowError } from "../../stores/journal.ts";
import type { Ports } from "../ports.ts";
import { listTargets } from "../queries/questions.ts";
import { findAnswer, rememberAnswer, type RequestKey } from "./request-key.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";

/** Targets by their ids, or by what they have in common. */
export type Selection = { readonly targets: readonly string[] } | { readonly filter: TargetFilter };

/** A target that could not be written, and why. */
export interface NotWritten {
  readonly target: string;
  readonly why: string;
}

/** Results of a write to many targets, in the order of the configuration. */
export interface ManyWritten<Result> {
  readonly written: readonly (Result & { readonly target: string })[];
  readonly notWritten: readonly NotWritten[];
}

/** How many targets are written at the same time. */
const maxAtOnce = 16;

/** As many as the journal can store with the key of a request. Characters, as JSON. */
const maxStoredIds = 400_000;

interface SelectionRequest {
  readonly selection: Selection;
  readonly key: RequestKey | undefined;
  /** Throws ConfigError for a request that must not be remembered. */
  readonly check?: () => void;
}

/**
 * The targets of the selection, or the ids that are not configured. A repeated request gets the targets that it selected first: by now
 * others may match. Throws ConfigError and KeyReusedError.
 */
export function selectOnce(
  ports: Ports,
  byId: ReadonlyMap<string, Target>,
  { selection, key, check }: SelectionRequest,
): Promise<readonly Target[] | { readonly unknown: readonly string[] }> {
  return retryOnConflict(ports, async () => {
    const known = await findAnswer<{ ids: string[] }>(ports.journal, undefined, key);
    if (known) return known.ids.flatMap((id) => byId.get(id) ?? []);
    check?.();
    const targets = await select(ports, byId, selection);
    if (!key || "unknown" in targets) return targets;
    const { request } = rememberAnswer(key, { ids: targets.map(({ id }) => id) });
    if (request && request.answer.length > maxStoredIds) {
      throw new ConfigError("Too many targets for one Idempotency-Key. Select fewer targets");
    }
    if (request) await ports.journal.keepRequest(request);
    return targets;
  });
}

/** Throws ConfigError when no target matches. */
async function select(
  ports: Ports,
  byId: ReadonlyMap<string, Target>,
  selection: Selection,
): Promise<readonly Target[] | { readonly unknown: readonly string[] }> {
  const ids =
    "targets" in selection ? selection.targets : await findMatching(ports, byId, selection.filter);
  const unknown = ids.filter((id) => !byId.has(id));
  if (unknown.length > 0) return { unknown };
  const wanted = new Set(ids);
  return [...byId.values()].filter(({ id }) => wanted.has(id));
}

async function findMatching(
  ports: Ports,
  byId: ReadonlyMap<string, Target>,
  filter: TargetFilter,
): Promise<readonly string[]> {
  const found = await listTargets(ports, [...byId.values()], { filter });
  const ids = (found?.items ?? []).map(({ id }) => id);
  if (ids.length === 0) throw new ConfigError("No target matches all filters of the selection");
  return ids;
}

/**
 * Writes to each target in its own transaction. When the journal becomes unavailable, the targets that are left are not tried, so that
 * the caller gets an answer soon. Throws JournalUnavailableError when nothing was written because of that.
 */
export async function writeToEach<Result>(
  targets: readonly Target[],
  write: (target: Target) => Promise<Result>,
): Promise<ManyWritten<Result>> {
  const written: (Result & { readonly target: string })[] = [];
  const notWritten: NotWritten[] = [];
  let lost: JournalUnavailableError | undefined;
  for (const batch of splitIntoChunks(targets, maxAtOnce)) {
    if (lost) {
      notWritten.push(...batch.map(({ id }) => ({ target: id, why: notTried })));
      continue;
    }
    const results = await Promise.allSettled(batch.map(write));
    for (const [index, result] of results.entries()) {
      const target = batch[index]?.id ?? "";
      if (result.status === "fulfilled") {
        written.push({ ...result.value, target });
        continue;
      }
      notWritten.push({ target, why: describeFailure(result.reason) });
      if (isOutage(result.reason)) lost = result.reason;
    }
  }
  if (lost && written.length === 0) throw lost;
  return { written, notWritten };
}

const notTried = "not tried, because the journal became unavailable. Repeat the request";

function isOutage(error: unknown): error is JournalUnavailableError {
  return error instanceof JournalUnavailableError && !(error instanceof UnreadableRowError);
}

/** Why the target was not written. Throws an error that no caller can act on. */
function describeFailure(error: unknown): string {
  if (error instanceof LeaseLostError) {
    return "others are writing to the target, so nothing was recorded. Repeat the request";
  }
  const isOfTarget =
    error instanceof UnreadableRowError ||
    error instanceof KeyReusedError ||
    error instanceof ConfigError;
  if (isOfTarget) return error.message;
  if (!(error instanceof JournalUnavailableError)) throw error;
  return "the journal became unavailable, so the result is unknown. Repeat the request";
}
