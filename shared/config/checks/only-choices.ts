import { type ConfigRotator, isIdentityOnly } from "../schema/targets.ts";
import type { Source } from "../yaml/document.ts";
import { isRecord } from "../yaml/is-record.ts";

/**
 * Returns the source with what can only be so: the accounts of those targets whose system has only certain ones, such as its two keys, and
 * the app's identity where nobody else can change a secret.
 */
export function withOnlyChoices(source: Source, rotators: readonly ConfigRotator[]): Source {
  const targets = source.value?.["targets"];
  if (!isRecord(targets)) return source;
  const filled = Object.entries(targets).map(([id, target]) => [id, fill(target, rotators)]);
  return { ...source, value: { ...source.value, targets: Object.fromEntries(filled) as unknown } };
}

function fill(target: unknown, rotators: readonly ConfigRotator[]): unknown {
  const rotator = isRecord(target)
    ? rotators.find(({ type }) => type === target["type"])
    : undefined;
  if (!isRecord(target) || !rotator) return target;
  const accounts = "accounts" in target ? undefined : findAccounts(target["options"], rotator);
  const admin = "admin" in target || !isIdentityOnly(rotator) ? undefined : "managed-identity";
  return { ...target, ...(accounts && { accounts }), ...(admin && { admin }) };
}

function findAccounts(written: unknown, rotator: ConfigRotator): readonly string[] | undefined {
  const options = rotator.options.safeParse(written ?? {});
  return options.success ? rotator.defaultAccounts?.(options.data) : undefined;
}
