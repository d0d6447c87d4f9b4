import type { Instant } from "../../core/time.ts";
import { anchorTargets, areAuthoritiesThere } from "../checks/authorities.ts";
import type { PolicyCase } from "../checks/check-policies.ts";
import type { Configured } from "../config.ts";
import { type Problem, sortForReading } from "../problems.ts";
import type { FormContent } from "./checked-form.ts";

/**
 * Restores the configuration of a form that is now in `folder`. Undefined when CA files are missing, because only a check of
 * the sources can locate the fields that name them.
 */
export async function restore(
  content: FormContent,
  folder: string,
): Promise<Configured | undefined> {
  const config = restoreConfig(content);
  const isWhole = await areAuthoritiesThere(config, folder);
  return isWhole ? { ...config, targets: anchorTargets(config.targets, folder) } : undefined;
}

/** Returns the configuration that the form was written from. */
export function restoreConfig({ config, targets, policies, passedOver }: FormContent): Configured {
  return {
    ...config,
    targets: targets.map(({ passedOver: others, ...target }) => ({
      ...target,
      policy: at(policies, target.policy),
      policiesPassedOver: at(passedOver, others),
    })),
  };
}

/**
 * Finds the warnings from `now` on. Undefined when a check of the sources is needed: a policy is now an error, or the form
 * does not contain the location of a finding.
 */
export async function restoreWarnings(
  content: FormContent,
  now: Instant,
): Promise<Problem[] | undefined> {
  const tried = content.cases.length === 0 ? [] : await tryAgain(content, now);
  return tried && sortForReading([...tried, ...content.warnings]);
}

async function tryAgain(content: FormContent, now: Instant): Promise<Problem[] | undefined> {
  const { checkCases } = await import("../checks/check-policies.ts");
  let isSure = true;
  const cases = content.cases.map(({ policy, own, places }): PolicyCase => {
    const known = new Map(places);
    return {
      policy: at(content.policies, policy),
      malformed: false,
      ...(own && { own }),
      locate: ({ path, message }) => {
        const place = known.get(JSON.stringify(path));
        isSure &&= place !== undefined;
        return { ...(place ?? { file: "", line: 0, column: 0, path: "" }), message };
      },
    };
  });
  const { each, untried } = checkCases(cases, now);
  isSure &&= each.every(({ errors }) => errors.length === 0);
  return isSure ? [...each.flatMap(({ warnings }) => warnings), ...untried] : undefined;
}

function at<Value>(things: readonly Value[], index: number): Value {
  const value = things[index];
  if (value === undefined)
    throw new Error("Bug: the checked form refers to an entry that it does not contain");
  return value;
}
