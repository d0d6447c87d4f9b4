import type { Finding, Path } from "../problems.ts";
import { quoteText, suggestion } from "../schema/sentences.ts";
import type { Source } from "../yaml/document.ts";
import { isRecord } from "../yaml/is-record.ts";
import type { Entries, Merged, Section } from "../yaml/merge.ts";

/** `*` stands for every key of a mapping or every entry of a list. */
type Pattern = readonly string[];

type Named = Section | "types";

const singular: Readonly<Record<Named, string>> = {
  vaults: "vault",
  policies: "policy",
  targets: "target",
  consumers: "consumer",
  types: "type of target",
};

/** Where the name of something else is written. */
const references: readonly { readonly at: Pattern; readonly to: Named }[] = [
  { at: ["targets", "*", "policy"], to: "policies" },
  { at: ["targets", "*", "consumers", "*"], to: "consumers" },
  { at: ["targets", "*", "publish", "vault"], to: "vaults" },
  { at: ["targets", "*", "admin", "vault"], to: "vaults" },
  { at: ["targets", "*", "accounts", "*", "initial", "vault"], to: "vaults" },
  { at: ["vaults", "*", "pending"], to: "vaults" },
  { at: ["consumers", "*", "key", "vault"], to: "vaults" },
  { at: ["notify", "*", "key", "vault"], to: "vaults" },
  ...criteria("vault", "vaults"),
  ...criteria("type", "types"),
];

/** Of a policy, alone or in a list. */
function criteria(name: string, to: Named) {
  const at = ["policies", "*", "match", name];
  return [
    { at, to },
    { at: [...at, "*"], to },
  ];
}

/** Where a secret is named. `bare`: its name may stand alone. */
const secrets: readonly { readonly at: Pattern; readonly bare: boolean }[] = [
  { at: ["targets", "*", "publish"], bare: true },
  { at: ["targets", "*", "admin"], bare: false },
  { at: ["targets", "*", "accounts", "*", "initial"], bare: true },
  { at: ["consumers", "*", "key"], bare: false },
  { at: ["notify", "*", "key"], bare: false },
];

/**
 * Finds names that lead nowhere. Looks at what is written, whether or not its surroundings are well-formed, so that
 * no mistake hides another.
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
        // A pattern may be for what is not there yet; a name is meant as it stands.
        if (at.includes("match") && /[*?]/.test(value)) return [];
        const message = `there is no ${singular[to]} named ${quoteText(value)}`;
        return [{ path, message: message + suggestion(value, names) }];
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
      ? "needs a vault, and none is configured; add one under vaults"
      : `must say which vault: ${vaults.join(", ")}`;
  return secrets.flatMap(({ at, bare }) =>
    matches(source.value, at)
      .filter(({ value }) => namesNoVault(value, bare))
      .map(({ path }) => ({ path, message })),
  );
}

function namesNoVault(value: unknown, bare: boolean): boolean {
  return isRecord(value)
    ? "secret" in value && !("vault" in value)
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
