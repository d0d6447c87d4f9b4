import { formatPath, type Problem } from "../problems.ts";
import { type ConfigRotator, findMeant, isIdentityOnly } from "../schema/targets.ts";
import type { Source } from "../yaml/document.ts";
import { mapTargets } from "./map-targets.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Returns the source with what can only be so: the accounts of those targets whose system has only certain ones, such as its two keys, and
 * the app's identity where nobody else can change a secret. While options with problems leave the accounts open, they are not missing.
 */
export function withOnlyChoices(source: Source, rotators: readonly ConfigRotator[]): Source {
  const explained = new Set(source.explained);
  const problems: Problem[] = [];
  const filled = mapTargets(source, (target, id) => {
    const at = (field: string) => ["targets", id, field];
    const rotator = rotators.find(({ type }) => type === target["type"]);
    if (!rotator) {
      const fields = listUnneeded(target, findMeant(target["type"], rotators));
      for (const field of fields) explained.add(formatPath(at(field)));
      return target;
    }
    const accounts = findAccounts(target, rotator);
    if (typeof accounts === "string") explained.add(formatPath(at("accounts")));
    if (accounts === "missing") {
      const message = `is missing; write one, or write options.${rotator.accountOption}`;
      problems.push(source.locate({ path: at("accounts"), message }));
    }
    const filling = Array.isArray(accounts) ? { accounts } : {};
    return { ...target, ...filling, ...findAdmin(target, rotator) };
  });
  return { ...filled, explained, problems: [...filled.problems, ...problems] };
}

const findAdmin = (target: Fields, rotator: ConfigRotator): Fields =>
  "admin" in target || !isIdentityOnly(rotator) ? {} : { admin: "managed-identity" };

/** The fields that are not missing, because a target of the type that somebody meant may leave them out. */
function listUnneeded(target: Fields, meant: ConfigRotator | undefined): string[] {
  if (!meant) return [];
  const unneeded = [
    ...(meant.defaultAccounts ? ["accounts"] : []),
    ...(isIdentityOnly(meant) ? ["admin"] : []),
  ];
  return unneeded.filter((field) => !(field in target));
}

/**
 * The accounts that follow from the options. `open`: the options have problems. `missing`: an option that is absent would name the account.
 * Undefined: the target names its accounts, or must.
 */
function findAccounts(
  target: Fields,
  rotator: ConfigRotator,
): readonly string[] | "open" | "missing" | undefined {
  if ("accounts" in target || !rotator.defaultAccounts) return undefined;
  const parsed = rotator.options.safeParse(target["options"] ?? {});
  if (!parsed.success) return "open";
  return (
    rotator.defaultAccounts(parsed.data) ??
    (rotator.accountOption === undefined ? undefined : "missing")
  );
}
