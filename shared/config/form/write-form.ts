import { isDeepStrictEqual } from "node:util";
import type { Policy } from "../../core/policy/policy.ts";
import type { PolicyCase } from "../checks/check-policies.ts";
import { type Checked, checkSources, type LoadOptions } from "../load.ts";
import type { Finding, Path } from "../problems.ts";
import { toSource } from "../yaml/document.ts";
import type { SourceFile } from "../yaml/read.ts";
import { type FormContent, type StoredCase, toFormHead, toFormText } from "./checked-form.ts";
import { restoreConfig } from "./restore.ts";

/**
 * Writes the checked form of these files, which only the same `build` can use. Undefined when they cannot have one. Throws
 * ConfigProblemsError. CA files are not looked up.
 */
export async function writeForm(
  files: readonly SourceFile[],
  build: string,
  options: LoadOptions,
): Promise<string | undefined> {
  const checked = await checkSources(files.map(toSource), undefined, options);
  const head = toFormHead(files, build);
  // Which simulations are skipped depends on all cases, but a form stores only some of them.
  if (head === undefined || checked.found.untried.length > 0) return undefined;
  const content = toContent(checked);
  const text = toFormText(head, content);
  const again = JSON.parse(JSON.stringify(content)) as FormContent;
  return isDeepStrictEqual(restoreConfig(again), checked.config) ? text : undefined;
}

function toContent({
  config: { targets, ...config },
  cases,
  found,
  warnings,
}: Checked): FormContent {
  const policies = table<Policy>();
  const passedOver = table<FormContent["passedOver"][number]>();
  const again = casesToTryAgain(cases);
  return {
    config,
    targets: targets.map(({ policiesPassedOver, ...target }) => ({
      ...target,
      policy: policies.add(target.policy),
      passedOver: passedOver.add(policiesPassedOver),
    })),
    warnings: [
      ...cases.flatMap((one, index) => (again.has(one) ? [] : (found.each[index]?.warnings ?? []))),
      ...warnings,
    ],
    cases: cases.flatMap((one, index): StoredCase[] => {
      if (!again.has(one)) return [];
      const findings = found.each[index]?.findings ?? [];
      const places = listPlaces(one, findings);
      return [{ policy: policies.add(one.policy), ...(one.own && { own: one.own }), places }];
    }),
    policies: policies.all,
    passedOver: passedOver.all,
  };
}

/** Stores equal values once. `add` returns the position of the value. */
function table<Value>(): {
  readonly all: readonly Value[];
  readonly add: (value: Value) => number;
} {
  const all: Value[] = [];
  const known = new Map<string, number>();
  const add = (value: Value): number => {
    const key = JSON.stringify(value);
    const found = known.get(key) ?? all.push(value) - 1;
    known.set(key, found);
    return found;
  };
  return { all, add };
}

/** Selects the cases whose simulation depends on the current time, and the policies that these cases override. */
function casesToTryAgain(cases: readonly PolicyCase[]): ReadonlySet<PolicyCase> {
  const changing = cases.filter(({ policy }) => hasHours(policy));
  const changed = new Set(changing.flatMap(({ own }) => own?.of ?? []));
  const policies = cases.filter(({ policy, own }) => !own && changed.has(policy.name));
  // Keeps the order of `cases`: policies come before the targets that override them.
  const chosen = new Set([...changing, ...policies]);
  return new Set(cases.filter((one) => chosen.has(one)));
}

/** Whether the policy limits when a change may start. Without limits, the result does not depend on the current time. */
function hasHours({ days, between, at, cron, freeze, spread }: Policy): boolean {
  return [days, between, at, cron, freeze, spread].some((field) => field !== undefined);
}

/** Locates everything that a simulation may report, and everything that this one reported. */
function listPlaces(
  { policy: { freeze = [] }, own, locate }: PolicyCase,
  findings: readonly Finding[],
): StoredCase["places"] {
  const tried: Path[] = [
    [],
    ["every"],
    ["headStart"],
    ["freeze"],
    ...freeze.map((_, index) => ["freeze", index]),
  ];
  const paths = [
    ...(own ? tried.map((path) => ["overrides", ...path]) : tried),
    ...findings.map(({ path }) => path),
  ];
  const places = new Map<string, StoredCase["places"][number][1]>();
  for (const path of paths) {
    const { message: _, ...place } = locate({ path, message: "" });
    places.set(JSON.stringify(path), place);
  }
  return [...places];
}
