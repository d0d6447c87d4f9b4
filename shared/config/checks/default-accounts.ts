import type { ConfigRotator } from "../schema/targets.ts";
import type { Source } from "../yaml/document.ts";
import { isRecord } from "../yaml/is-record.ts";

/** Returns the source with the accounts of those targets whose system has only certain ones, such as its two keys. */
export function withDefaultAccounts(source: Source, rotators: readonly ConfigRotator[]): Source {
  const targets = source.value?.["targets"];
  if (!isRecord(targets)) return source;
  const filled = Object.entries(targets).map(([id, target]) => [id, fill(target, rotators)]);
  return { ...source, value: { ...source.value, targets: Object.fromEntries(filled) as unknown } };
}

function fill(target: unknown, rotators: readonly ConfigRotator[]): unknown {
  if (!isRecord(target) || "accounts" in target) return target;
  const rotator = rotators.find(({ type }) => type === target["type"]);
  const options = rotator?.options.safeParse(target["options"] ?? {});
  const accounts = options?.success ? rotator?.defaultAccounts?.(options.data) : undefined;
  return accounts ? { ...target, accounts } : target;
}
