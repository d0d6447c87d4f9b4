import type { Finding, Path } from "../problems.ts";
import { quoteText, suggestWord } from "../schema/issue-sentences.ts";
import type { Source } from "../yaml/document.ts";
import { isRecord } from "../yaml/is-record.ts";
import type { Entries, Merged, Section } from "../yaml/merge.ts";

/** A path in which `*` matches every key of a mapping and every entry of a list. */
type Pattern = readonly string[];

type Named = Section | "types";

const singular: Readonly<Record<Named, string>> = {
  vaults: "vault",
  policies: "policy",
  targets: "target",
  consumers: "consumer",
  types: "type of target",
};

/** The fields that refer to a vault, policy, consumer or type by name. */
const references: readonly { readonly at: Pattern; readonly to: Named }[] = [
  { at: ["targets", "*", "policy"], to: "policies" },
  { at: ["targets", "*", "consumers", "*"], to: "consumers" },
  { at: ["targets", "*", "after"], to: "targets" },
  { at: ["targets", "*", "publish", "vault"], to: "vaults" },
  { at: ["targets", "*", "admin", "vault"], to: "vaults" },
  { at: ["targets", "*", "accounts", "*", "initial", "vault"], to: "vaults" },
  { at: ["vaults", "*", "pending"], to: "vaults" },
  { at: ["consumers", "*", "key", "vault"], to: "vaults" },
  { at: ["notify", "*", "key", "vault"], to: "vaults" },
  { at: ["ledger", "signWith", "vault"], to: "vaults" },
  ...criteria("vault", "vaults"),
  ...criteria("type", "types"),
];

/** A criterion of a policy's `match`, which may be one name or a list of names. */
function criteria(name: string, to: Named) {
  const at = ["policies", "*", "match", name];
  return [
    { at, to },
    { at: [...at, "*"], to },
  ];
}

/** The fields that refer to a secret or a key. `bare`: the name of the secret alone is allowed. */
const secrets: readonly { readonly at: Pattern; readonly bare: boolean }[] = [
  { at: ["targets", "*", "publish"], bare: true },
  { at: ["targets", "*", "admin"], bare: false },
  { at: ["targets", "*", "accounts", "*", "initial"], bare: true },
  { at: ["consumers", "*", "key"], bare: false },
  { at: ["notify", "*", "key"], bare: false },
  { at: ["ledger", "signWith"], bare: false },
];

/**
 * Finds references to things that do not exist. Reads the raw values, well-formed or not, so that no mistake hides another.
 */
export function checkReferences(
  source: Source,
  { entries, unreadable }: Pick<Merged, "entries" | "unreadable">,
  types: readonly string[],
): Finding[] {
  return [
    ...references.flatMap(({ at, to }) => {
      const names = to === "types" ? types : [...entries[to].keys()];
      const known = new Set(names);
      if (to !== "types" && unreadable.has(to)) return [];
      return matches(source.value, at).flatMap(({ path, value }) => {
        if (typeof value !== "string" || known.has(value)) return [];
        // A pattern may be meant for something that does not exist yet; a plain name must exist.
        if (at.includes("match") && /[*?]/.test(value)) return [];
        const message = `${singular[to]} ${quoteText(value)} does not exist`;
        return [{ path, message: message + suggestWord(value, names) }];
      });
    }),
    ...(unreadable.has("vaults") ? [] : checkVaultsLeftOut(source, entries)),
  ];
}

function checkVaultsLeftOut(source: Source, entries: Entries): Finding[] {
  const vaults = [...entries.vaults.keys()];
  if (vaults.length === 1) return [];
  const message =
    vaults.length === 0
      ? "needs a vault, but no vault is configured; add one under vaults"
      : `must name a vault, because several are configured: ${vaults.join(", ")}`;
  return secrets.flatMap(({ at, bare }) =>
    matches(source.value, at)
      .filter(({ value }) => namesNoVault(value, bare))
      .map(({ path }) => ({ path, message })),
  );
}

function namesNoVault(value: unknown, bare: boolean): boolean {
  return isRecord(value)
    ? ("secret" in value || "key" in value) && !("vault" in value)
    : bare && typeof value === "string";
}

interface Match {
  readonly path: Path;
  readonly value: unknown;
}

function matches(root: unknown, pattern: Pattern): Match[] {
  return pattern.reduce<Match[]>(
    (found, step) =>
      found.flatMap(({ path, value }) =>
        children(value)
          .filter(([key]) => step === "*" || step === key)
          .map(([key, child]) => ({ path: [...path, key], value: child })),
      ),
    [{ path: [], value: root }],
  );
}

function children(value: unknown): (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return [...value.entries()];
  return isRecord(value) ? Object.entries(value) : [];
}
