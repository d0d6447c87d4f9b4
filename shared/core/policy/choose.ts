import type { Match, Policy, PolicyFields } from "../policy.ts";
import { matchesAnyGlob, matchesGlob } from "./glob.ts";

/** What a target has otherwise than its policy says. */
export interface Override {
  readonly fields: Partial<PolicyFields>;
  /** For people: shown with every due moment. */
  readonly reason: string;
}

/** What policies are chosen by. */
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

/** What says the same thing in another way: where a target sets one of these, what its policy has of the others goes. */
const replacedBy: Partial<Record<Field, readonly Field[]>> = {
  manualOnly: ["every", "headStart", "cron", "afterIdle"],
  every: ["manualOnly"],
  afterIdle: ["manualOnly"],
  cron: ["manualOnly", "days", "between", "at"],
  days: ["cron"],
  between: ["at", "cron"],
  at: ["between", "cron"],
};

/** For targets that name no policy and match none. */
const fallback = "default";

/** The one policy of a target. The order in which policies are given does not matter. */
export function effectivePolicy(subject: Subject, policies: readonly Policy[]): Choice {
  const choice = choose(subject, policies);
  if ("problem" in choice || subject.override === undefined) return choice;
  const { fields, reason } = subject.override;
  const names = Object.keys(fields).sort();
  if (reason.trim() === "") return { problem: `overrides ${names.join(", ")} without a reason` };
  const gone = replaced(choice.policy, fields);
  const { name, password, retry, ...rest } = choice.policy;
  const kept = Object.fromEntries(Object.entries(rest).filter(([field]) => !gone.includes(field)));
  const instead = gone.length > 0 ? ` instead of ${gone.join(", ")}` : "";
  const why = `${choice.why}; ${names.join(", ")} set by the target${instead}: ${reason}`;
  return { ...choice, policy: { name, password, retry, ...kept, ...fields }, why };
}

/** Names of what the policy has and the target has in another way. */
function replaced(policy: Policy, fields: Partial<PolicyFields>): string[] {
  const others = Object.entries(replacedBy).flatMap(([field, names]) =>
    field in fields ? names : [],
  );
  return others.filter((field) => field in policy && !(field in fields)).sort();
}

function choose(subject: Subject, policies: readonly Policy[]): Choice {
  if (subject.policy !== undefined) return named(subject.policy, subject, policies);
  const ranked = policies
    .filter((policy) => policy.match !== undefined && mismatch(policy.match, subject) === undefined)
    .sort((a, b) => priorityOf(b) - priorityOf(a) || compareNames(a, b));
  const [first, second] = ranked;
  if (first === undefined) return fallBack(subject, policies);
  if (second !== undefined && priorityOf(first) === priorityOf(second)) {
    const tied = ranked.filter((policy) => priorityOf(policy) === priorityOf(first));
    const names = tied.map(({ name }) => name).join(" and ");
    return {
      problem: `policies ${names} match with the same priority ${priorityOf(first)}; give one of them a higher one, or name one in the target`,
    };
  }
  const why = `matches ${criteriaOf(first.match ?? {})}, priority ${priorityOf(first)}`;
  return { policy: first, why, passedOver: others(first, subject, policies) };
}

function named(name: string, subject: Subject, policies: readonly Policy[]): Choice {
  const policy = policies.find((one) => one.name === name);
  if (!policy) return { problem: `names the policy ${name}, which there is not` };
  return { policy, why: "named by the target", passedOver: others(policy, subject, policies) };
}

function fallBack(subject: Subject, policies: readonly Policy[]): Choice {
  const policy = policies.find(({ name }) => name === fallback);
  if (!policy)
    return { problem: "names no policy and matches none, and there is none called default" };
  const passedOver = others(policy, subject, policies);
  return { policy, why: "matches no other policy", passedOver };
}

function others(chosen: Policy, subject: Subject, policies: readonly Policy[]): NotChosen[] {
  return policies
    .filter((policy) => policy !== chosen)
    .sort(compareNames)
    .map((policy) => ({ policy: policy.name, why: whyNot(policy, subject) }));
}

function whyNot(policy: Policy, subject: Subject): string {
  if (policy.match === undefined) return "is only for targets that name it";
  const criterion = mismatch(policy.match, subject);
  return criterion === undefined
    ? `matches too, priority ${priorityOf(policy)}`
    : `its ${criterion} does not match`;
}

/** The first criterion that does not hold; undefined when all do. */
function mismatch(match: Match, subject: Subject): string | undefined {
  const lists: [string, readonly string[] | undefined, string | undefined][] = [
    ["type", match.type, subject.type],
    ["vault", match.vault, subject.vault],
    ["host", match.host?.map((one) => one.toLowerCase()), subject.host?.toLowerCase()],
    ["owner", match.owner, subject.owner],
    ["environment", match.environment, subject.environment],
    ["target", match.target, subject.targetId],
  ];
  for (const [name, patterns, value] of lists) {
    if (patterns === undefined) continue;
    if (value === undefined || !matchesAnyGlob(patterns, value)) return name;
  }
  const tag = Object.entries(match.tags ?? {}).find(([name, pattern]) => {
    const value = subject.tags[name];
    return value === undefined || !matchesGlob(pattern, value);
  });
  return tag && `tag ${tag[0]}`;
}

function criteriaOf({ tags = {}, ...lists }: Match): string {
  const found = [
    ...Object.entries(lists).map(([name, patterns]) => `${name} ${patterns.join(" or ")}`),
    ...Object.entries(tags).map(([name, pattern]) => `tag ${name}=${pattern}`),
  ];
  return found.length === 0 ? "every target" : found.sort().join(", ");
}

function priorityOf({ priority = 0 }: Policy): number {
  return priority;
}

function compareNames(a: Policy, b: Policy): number {
  return a.name < b.name ? -1 : 1;
}
