import type { Instant } from "../core/time.ts";
import { anchoredConfig, areAuthoritiesThere } from "./authorities.ts";
import type { PolicyCase } from "./check-policies.ts";
import type { FormContent } from "./checked-form.ts";
import type { Config } from "./config.ts";
import { forReading, type Problem } from "./problems.ts";

/**
 * The configuration of a form, with what depends on the machine and the moment found out anew. Undefined when that is a
 * problem: only the check of the sources can say where.
 */
export async function restore(
  content: FormContent,
  folder: string,
  now: Instant,
): Promise<Config | undefined> {
  const config = configIn(content);
  if (!(await areAuthoritiesThere(config, folder))) return undefined;
  const tried = await tryAgain(content, now);
  if (tried === undefined) return undefined;
  const warnings = forReading([...tried, ...content.warnings]);
  return anchoredConfig({ ...config, warnings }, folder);
}

/** The configuration as it was when the form was written. */
export function configIn({
  config,
  targets,
  policies,
  passedOver,
}: FormContent): Omit<Config, "warnings"> {
  return {
    ...config,
    targets: targets.map(({ passedOver: others, ...target }) => ({
      ...target,
      policy: at(policies, target.policy),
      policiesPassedOver: at(passedOver, others),
    })),
  };
}

/** The warnings of the trials; undefined when there are errors, or warnings of which the form does not know the place. */
async function tryAgain(content: FormContent, now: Instant): Promise<Problem[] | undefined> {
  if (content.cases.length === 0) return [];
  const { checkCases } = await import("./check-policies.ts");
  const unknown: string[] = [];
  const cases = content.cases.map(({ policy, own, places }): PolicyCase => {
    const known = new Map(places);
    return {
      policy: at(content.policies, policy),
      malformed: false,
      ...(own && { own }),
      locate: ({ path, message }) => {
        const key = JSON.stringify(path);
        const place = known.get(key) ?? { file: "", line: 0, column: 0, path: "" };
        if (!known.has(key)) unknown.push(key);
        return { ...place, message };
      },
    };
  });
  const { each, untried } = checkCases(cases, now);
  const isUnsure = unknown.length > 0 || each.some(({ errors }) => errors.length > 0);
  return isUnsure ? undefined : [...each.flatMap(({ warnings }) => warnings), ...untried];
}

function at<Thing>(things: readonly Thing[], index: number): Thing {
  const thing = things[index];
  if (thing === undefined) throw new Error("the checked form refers to what is not in it");
  return thing;
}
