import { isDeepStrictEqual } from "node:util";
import type { Policy } from "../../core/policy/policy.ts";
import type { PolicyCase } from "../checks/check-policies.ts";
import { type Checked, checkSources, type LoadOptions } from "../load.ts";
import type { Finding, Path } from "../problems.ts";
import { sourceFrom } from "../yaml/document.ts";
import type { SourceFile } from "../yaml/read.ts";
import { type FormContent, formHead, formText, type StoredCase } from "./checked-form.ts";
import { configIn } from "./restore.ts";

/**
 * The checked form of these files, for the same `build` alone. Undefined when they cannot have one. Throws
 * ConfigProblemsError. Files of authorities are not looked for.
 */
export async function writeForm(
  files: readonly SourceFile[],
  build: string,
  options: LoadOptions,
): Promise<string | undefined> {
  const checked = await checkSources(files.map(sourceFrom), undefined, options);
  const head = formHead(files, build);
  // Which trials are left out depends on all of them, and a form keeps only some.
  if (head === undefined || checked.found.untried.length > 0) return undefined;
  const content = toContent(checked);
  const text = formText(head, content);
  const again = JSON.parse(JSON.stringify(content)) as FormContent;
  return isDeepStrictEqual(configIn(again), checked.config) ? text : undefined;
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
      const told = found.each[index]?.findings ?? [];
      const places = listPlaces(one, told);
      return [{ policy: policies.add(one.policy), ...(one.own && { own: one.own }), places }];
    }),
    policies: policies.all,
    passedOver: passedOver.all,
  };
}

/** Things that are kept once each, and referred to by their position. */
function table<Thing>(): {
  readonly all: readonly Thing[];
  readonly add: (thing: Thing) => number;
} {
  const all: Thing[] = [];
  const known = new Map<string, number>();
  const add = (thing: Thing): number => {
    const key = JSON.stringify(thing);
    const found = known.get(key) ?? all.push(thing) - 1;
    known.set(key, found);
    return found;
  };
  return { all, add };
}

/** Those whose trials may have another result at another moment, and the policies that they change. */
function casesToTryAgain(cases: readonly PolicyCase[]): ReadonlySet<PolicyCase> {
  const changing = cases.filter(({ policy }) => hasHours(policy));
  const changed = new Set(changing.flatMap(({ own }) => own?.of ?? []));
  const policies = cases.filter(({ policy, own }) => !own && changed.has(policy.name));
  // In the order that they have among all: policies come before the targets that change them.
  const chosen = new Set([...changing, ...policies]);
  return new Set(cases.filter((one) => chosen.has(one)));
}

/** Without any, a change may start at every moment, and all moments are alike. */
function hasHours({ days, between, at, cron, freeze, spread }: Policy): boolean {
  return [days, between, at, cron, freeze, spread].some((field) => field !== undefined);
}

/** Where everything is that a trial may have something to say of, and everything of which something was said. */
function listPlaces(
  { policy: { freeze = [] }, own, locate }: PolicyCase,
  told: readonly Finding[],
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
    ...told.map(({ path }) => path),
  ];
  const places = new Map<string, StoredCase["places"][number][1]>();
  for (const path of paths) {
    const { message: _, ...place } = locate({ path, message: "" });
    places.set(JSON.stringify(path), place);
  }
  return [...places];
}
