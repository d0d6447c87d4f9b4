import { matchesAnyGlob } from "./glob.ts";
import type { Match, Policy, PolicyFields } from "./policy.ts";

/** The fields of a policy that a target overrides. */
export interface Override {
  readonly fields: Partial<PolicyFields>;
  /** The reason for the overrides. It is shown to operators with every due moment. */
  readonly reason: string;
}

/** The properties of a target that decide which policy applies. */
export interface Subject {
  readonly targetId: string;
  readonly type: string;
  readonly vault: string;
  readonly host?: string;
  readonly owner?: string;
  readonly environment?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The policy that the target names. */
  readonly policy?: string;
  readonly override?: Override;
}

export interface NotChosen {
  readonly policy: string;
  readonly why: string;
}

export type Choice =
  | { readonly policy: Policy; readonly why: string; readonly passedOver: readonly NotChosen[] }
  | { readonly problem: string };

type Field = keyof PolicyFields;

/** Fields that replace each other. If a target sets a field, the listed fields of its policy are dropped. */
const replacedBy: Partial<Record<Field, readonly Field[]>> = {
  manualOnly: ["every", "headStart", "cron", "afterIdle"],
  every: ["manualOnly"],
  afterIdle: ["manualOnly"],
  cron: ["manualOnly", "days", "between", "at"],
  days: ["cron"],
  between: ["at", "cron"],
  at: ["between", "cron"],
};

/** The policy of targets that name no policy and match none. */
const fallback = "default";

/** Chooses the policy of a target. The order of the policies does not matter. */
export function toEffectivePolicy(subject: Subject, policies: readonly Policy[]): Choice {
  const choice = choose(subject, policies);
  if ("problem" in choice || subject.override === undefined) return choice;
  const { fields, reason } = subject.override;
  const names = Object.keys(fields).sort();
  if (reason.trim() === "") return { problem: `overrides ${names.join(", ")} without a reason` };
  const gone = listReplacedFields(choice.policy, fields);
  const { name, password, retry, ...rest } = choice.policy;
  const kept = Object.fromEntries(Object.entries(rest).filter(([field]) => !gone.includes(field)));
  const instead = gone.length > 0 ? ` instead of ${gone.join(", ")}` : "";
  const why = `${choice.why}; ${names.join(", ")} set by the target${instead}: ${reason}`;
  return { ...choice, policy: { name, password, retry, ...kept, ...fields }, why };
}

/** Lists the fields of the policy that the fields of the target replace. */
function listReplacedFields(policy: Policy, fields: Partial<PolicyFields>): string[] {
  const others = Object.entries(replacedBy).flatMap(([field, names]) =>
    field in fields ? names : [],
  );
  return others.filter((field) => field in policy && !(field in fields)).sort();
}

/** Passed-over policies that are kept for each target. A fleet may have thousands of targets and hundreds of policies. */
const maxPassedOver = 10;

/** Policies, prepared for the search. */
interface Ordered {
  readonly byName: ReadonlyMap<string, Policy>;
  readonly names: readonly Policy[];
  /** The policies with a `match`, sorted by descending priority. */
  readonly matching: readonly (Policy & { readonly match: Match })[];
}

function matchesSome(policy: Policy): policy is Policy & { readonly match: Match } {
  return policy.match !== undefined;
}

const known = new WeakMap<readonly Policy[], Ordered>();

function sortByPriority(policies: readonly Policy[]): Ordered {
  const found = known.get(policies);
  if (found) return found;
  const names = policies.toSorted(compareNames);
  const ordered = {
    byName: new Map(policies.map((policy) => [policy.name, policy])),
    names,
    matching: names.filter(matchesSome).sort((a, b) => getPriority(b) - getPriority(a)),
  };
  known.set(policies, ordered);
  return ordered;
}

function choose(subject: Subject, policies: readonly Policy[]): Choice {
  const ordered = sortByPriority(policies);
  if (subject.policy !== undefined) return chooseNamedPolicy(subject.policy, subject, ordered);
  const { matching } = ordered;
  const index = matching.findIndex(({ match }) => mismatch(match, subject) === undefined);
  const first = matching[index];
  if (first === undefined) return fallBack(subject, ordered);
  const rivals = matching.slice(index + 1);
  const end = rivals.findIndex((policy) => getPriority(policy) < getPriority(first));
  const tied = rivals
    .slice(0, end < 0 ? undefined : end)
    .filter(({ match }) => mismatch(match, subject) === undefined);
  if (tied.length > 0) {
    const names = [first, ...tied].map(({ name }) => name).join(" and ");
    return {
      problem: `policies ${names} match with the same priority ${getPriority(first)}; raise the priority of one, or name a policy in the target`,
    };
  }
  const why = `matches ${listCriteria(first.match)}, priority ${getPriority(first)}`;
  return { policy: first, why, passedOver: others(first, subject, ordered) };
}

function chooseNamedPolicy(name: string, subject: Subject, ordered: Ordered): Choice {
  const policy = ordered.byName.get(name);
  if (!policy) return { problem: `names the policy ${name}, which does not exist` };
  return { policy, why: "named by the target", passedOver: others(policy, subject, ordered) };
}

function fallBack(subject: Subject, ordered: Ordered): Choice {
  const policy = ordered.byName.get(fallback);
  if (!policy)
    return {
      problem:
        "names no policy and matches no policy, and no policy is named default; add a policy named default, or name a policy in the target",
    };
  const passedOver = others(policy, subject, ordered);
  return { policy, why: "matches no other policy", passedOver };
}

function others(chosen: Policy, subject: Subject, { names }: Ordered): NotChosen[] {
  return names
    .slice(0, maxPassedOver + 1)
    .filter((policy) => policy !== chosen)
    .slice(0, maxPassedOver)
    .map((policy) => ({ policy: policy.name, why: whyNot(policy, subject) }));
}

function whyNot(policy: Policy, subject: Subject): string {
  if (policy.match === undefined) return "is only for targets that name it";
  const criterion = mismatch(policy.match, subject);
  return criterion === undefined
    ? `also matches, priority ${getPriority(policy)}`
    : `its ${criterion} does not match`;
}

/** Finds the first criterion that does not match. Undefined when all match. */
function mismatch(match: Match, subject: Subject): string | undefined {
  const { type, vault, host, owner, environment, target, tags } = match;
  if (fails(type, subject.type)) return "type";
  if (fails(vault, subject.vault)) return "vault";
  if (host && fails(lowerCase(host), subject.host?.toLowerCase())) return "host";
  if (fails(owner, subject.owner)) return "owner";
  if (fails(environment, subject.environment)) return "environment";
  if (fails(target, subject.targetId)) return "target";
  const tag = Object.entries(tags ?? {}).find(([name, pattern]) =>
    fails([pattern], subject.tags[name]),
  );
  return tag && `tag ${tag[0]}`;
}

function fails(patterns: readonly string[] | undefined, value: string | undefined): boolean {
  if (patterns === undefined) return false;
  return value === undefined || !matchesAnyGlob(patterns, value);
}

function lowerCase(texts: readonly string[]): string[] {
  return texts.map((text) => text.toLowerCase());
}

function listCriteria({ tags = {}, ...lists }: Match): string {
  const found = [
    ...Object.entries(lists).map(([name, patterns]) => `${name} ${patterns.join(" or ")}`),
    ...Object.entries(tags).map(([name, pattern]) => `tag ${name}=${pattern}`),
  ];
  return found.length === 0 ? "every target" : found.sort().join(", ");
}

function getPriority({ priority = 0 }: Policy): number {
  return priority;
}

function compareNames(a: Policy, b: Policy): number {
  return a.name < b.name ? -1 : 1;
}
