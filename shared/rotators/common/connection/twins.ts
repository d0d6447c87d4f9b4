/** What an account has: names of facts with values that are only compared, because some may be secrets. */
export type Facts = ReadonlyMap<string, string>;

/** More differences are counted only. */
const maxNamed = 5;
/** Characters of one fact. */
const maxLength = 160;

interface Twin {
  readonly account: string;
  readonly facts: Facts;
}

/** Pure: a sentence about what consumers find changed when they use `one` instead of `other`. None if they have the same. */
export function describeDifferences(one: Twin, other: Twin): readonly string[] {
  const [mine, others] = [one.facts, other.facts];
  const lacks = [...others.keys()].filter((fact) => !mine.has(fact));
  const extra = [...mine.keys()].filter((fact) => !others.has(fact));
  const differs = [...mine].flatMap(([fact, value]) =>
    others.has(fact) && others.get(fact) !== value ? [fact] : [],
  );
  const parts = [
    ...(lacks.length > 0 ? [`it lacks ${list(lacks)}`] : []),
    ...(extra.length > 0 ? [`only it has ${list(extra)}`] : []),
    ...(differs.length > 0 ? [`it has other values of ${list(differs)}`] : []),
  ];
  if (parts.length === 0) return [];
  return [
    `Account \`${one.account}\` differs from \`${other.account}\`, so consumers may find other rights after a turn: ${parts.join("; ")}. ` +
      "Give both the same, best by membership in one role that has all the rights.",
  ];
}

/** Pure: a sentence about what was not compared, why, and what to do. */
export const describeUncompared = (
  what: string,
  [account, twin]: readonly [account: string, twin: string],
  { why, todo }: { readonly why: string; readonly todo: string },
): string =>
  `The ${what} of \`${account}\` and \`${twin}\` were not compared, because ${why}. Consumers may find other rights after a turn. ${todo}`;

function list(facts: readonly string[]): string {
  const named = facts.toSorted().slice(0, maxNamed).map(shorten).join(", ");
  return facts.length > maxNamed ? `${named} and ${facts.length - maxNamed} more` : named;
}

function shorten(fact: string): string {
  return fact.length > maxLength ? `${fact.slice(0, maxLength).toWellFormed()}…` : fact;
}
