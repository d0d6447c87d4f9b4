import { recordSchema, workingPhases } from "../../core/record/rotation.ts";

/** The fields of a stored record, nested ones parsed. Nothing is known of their values yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** By version: what turns a record of that version into one of the next. Pure; the next write stores the result. */
export type Steps = Readonly<Record<number, (fields: Fields) => Fields>>;

/** Version 1 grew for months without being raised: each of these fields is missing in its oldest rows. */
const unrecorded = {
  why: "begun by an earlier version of Keyturn, which did not record why",
  policyFingerprint: "unknown",
};
const unrecordedRetry = { why: "another try after a rotation failed" };

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
 * A record as this version knows it. One of a version that nobody wrote comes back as it is, for the check of its fields
 * to refuse.
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

/** The last phase that an open rotation is known to have reached. */
function findFurthest({ phase, phases }: Fields): string {
  const reached = Array.isArray(phases)
    ? (phases as unknown[]).map((one) => (isObject(one) ? one["phase"] : undefined))
    : [];
  const furthest = workingPhases.findLast((one) => one === phase || reached.includes(one));
  // A rotation is blocked only while it is applying.
  return furthest ?? "applying";
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
