import { isObject } from "../../core/json.ts";
import { recordSchema, workingPhases } from "../../core/record/record.ts";

/** The fields of a stored record, with nested ones parsed. Their values are not checked yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** For each version, the step to the next one. Steps are pure; the next write stores the result. */
export type Steps = Readonly<Record<number, (fields: Fields) => Fields>>;

/** Fields were added to version 1 without a new version, so its oldest rows lack each of these fields. */
const unrecorded = {
  why: "started by an earlier version of Keyturn, which did not record the reason",
  policyFingerprint: "unknown",
};
const unrecordedRetry = { why: "another attempt, because a rotation failed" };

export const targetSteps: Steps = {
  1: ({ rotation, again, ...rest }) => ({
    ...rest,
    ...(isObject(rotation) && {
      rotation: { ...unrecorded, furthest: findFurthest(rotation), ...rotation },
    }),
    ...(isObject(again) && { again: { ...unrecordedRetry, ...again } }),
  }),
};

export const runSteps: Steps = {
  1: (fields) => ({ ...unrecorded, ...fields }),
};

/**
 * Upgrades a record to this version. A record of an unknown version is returned unchanged, and the check of its fields rejects it.
 */
export function upgradeRow(fields: Fields, steps: Steps): Fields {
  const version = fields["schema"];
  if (!isVersion(version) || version >= recordSchema) return fields;
  const step = steps[version];
  return step ? upgradeRow({ ...step(fields), schema: version + 1 }, steps) : fields;
}

export function isVersion(schema: unknown): schema is number {
  return Number.isInteger(schema);
}

/** The furthest phase that an open rotation is known to have reached. */
function findFurthest({ phase, phases }: Fields): string {
  const reached = Array.isArray(phases)
    ? (phases as unknown[]).map((one) => (isObject(one) ? one["phase"] : undefined))
    : [];
  const furthest = workingPhases.findLast((one) => one === phase || reached.includes(one));
  // A rotation can be blocked only in the phase `applying`.
  return furthest ?? "applying";
}
