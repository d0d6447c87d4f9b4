import { formatPath } from "../problems.ts";
import { type ConfigRotator, isIdentityOnly } from "../schema/targets.ts";
import type { Source } from "../yaml/document.ts";
import { mapTargets } from "./map-targets.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Returns the source with what can only be so: the accounts of those targets whose system has only certain ones, such as its two keys, and
 * the app's identity where nobody else can change a secret. While options with problems leave the accounts open, they are not missing.
 */
export function withOnlyChoices(source: Source, rotators: readonly ConfigRotator[]): Source {
  const explained = new Set(source.explained);
  const filled = mapTargets(source, (target, id) => {
    const rotator = rotators.find(({ type }) => type === target["type"]);
    if (!rotator) return target;
    const accounts = findAccounts(target, rotator);
    if (accounts === "open") explained.add(formatPath(["targets", id, "accounts"]));
    const admin = "admin" in target || !isIdentityOnly(rotator) ? undefined : "managed-identity";
    return { ...target, ...(Array.isArray(accounts) && { accounts }), ...(admin && { admin }) };
  });
  return { ...filled, explained };
}

/** The accounts that follow from the options. `open`: the options have problems. Undefined: the target names its accounts, or must. */
function findAccounts(
  target: Fields,
  rotator: ConfigRotator,
): readonly string[] | "open" | undefined {
  if ("accounts" in target || !rotator.defaultAccounts) return undefined;
  const parsed = rotator.options.safeParse(target["options"] ?? {});
  return parsed.success ? rotator.defaultAccounts(parsed.data) : "open";
}
