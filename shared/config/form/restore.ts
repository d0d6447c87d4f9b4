import type { Instant } from "../../core/time.ts";
import { anchoredTargets, areAuthoritiesThere } from "../checks/authorities.ts";
import type { PolicyCase } from "../checks/check-policies.ts";
import type { Configured } from "../config.ts";
import { forReading, type Problem } from "../problems.ts";
import type { FormContent } from "./checked-form.ts";

/**
 * The configuration of a form, for the folder in which it is now. Undefined when files of authorities are not there: only
 * the check of the sources can say where they are named.
 */
export async function restore(
  content: FormContent,
  folder: string,
): Promise<Configured | undefined> {
  const config = configIn(content);
  const isWhole = await areAuthoritiesThere(config, folder);
  return isWhole ? { ...config, targets: anchoredTargets(config.targets, folder) } : undefined;
}

/** The configuration as it was when the form was written. */
export function configIn({ config, targets, policies, passedOver }: FormContent): Configured {
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
 * The warnings from this moment on. Undefined when only the check of the sources can tell them: a policy has become wrong,
 * or something is to be said of which the form does not know the place.
 */
export async function warningsIn(
  content: FormContent,
  now: Instant,
): Promise<Problem[] | undefined> {
  const tried = content.cases.length === 0 ? [] : await tryAgain(content, now);
  return tried && forReading([...tried, ...content.warnings]);
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

function at<Thing>(things: readonly Thing[], index: number): Thing {
  const thing = things[index];
  if (thing === undefined) throw new Error("the checked form refers to what is not in it");
  return thing;
}
