import { z } from "zod";
import type { Finding, Path } from "../problems.ts";
import { isRecord } from "../yaml/is-record.ts";
import { describeMissingSpace, findKeyWithoutSpace } from "../yaml/syntax.ts";
import { describeIssue, suggestWord } from "./issue-sentences.ts";

type Issue = z.core.$ZodIssue;

export interface Validated<T> {
  /** The parsed value. Undefined when there are findings. */
  readonly value: T | undefined;
  readonly findings: readonly Finding[];
}

/** A value of a record that zod does not check, because its key is invalid. */
interface PassedOver {
  readonly schema: z.core.$ZodType;
  readonly path: Path;
}

/** Checks `value`, which is at `path`, and describes its problems. */
export function validate<T>(
  schema: z.core.$ZodType<T>,
  value: unknown,
  path: Path = [],
): Validated<T> {
  const knownKeys = new Map<readonly string[], readonly string[]>();
  const passedOver: PassedOver[] = [];
  const result = z.safeParse(schema, value, {
    error: (issue) => {
      if (issue.code === "invalid_key" && issue.inst instanceof z.ZodRecord) {
        passedOver.push({ schema: issue.inst.valueType, path: toPath(issue.path ?? []) });
      }
      if (issue.code === "unrecognized_keys") knownKeys.set(issue.keys, listKeys(issue.inst));
      return describeIssue(issue);
    },
  });
  if (result.success) return { value: result.data, findings: [] };
  const issues = result.error.issues.flatMap(chooseIssue);
  const wrongTypes = new Set(issues.filter(isWrongType).map(({ path }) => JSON.stringify(path)));
  const findings = issues
    // A value of the wrong type may also have the wrong length, which needs no message of its own.
    .filter((issue) => isWrongType(issue) || !wrongTypes.has(JSON.stringify(issue.path)))
    .flatMap((issue) => explain(issue, knownKeys, value));
  return {
    value: undefined,
    findings: [
      ...findings.map((finding) => ({ ...finding, path: [...path, ...finding.path] })),
      ...passedOver.flatMap(
        (one) => validate(one.schema, valueAt(value, one.path), [...path, ...one.path]).findings,
      ),
    ],
  };
}

/** Parses an object without its invalid fields. Every field of `schema` is optional. */
export function salvage<T extends object>(
  schema: z.ZodType<T>,
  value: unknown,
): { readonly kept: T | undefined; readonly complete: boolean } {
  const { value: whole, findings } = validate(schema, value);
  if (findings.length === 0) return { kept: whole, complete: true };
  const wrong = new Set(findings.map(({ path: [field] }) => String(field)));
  const right = Object.entries(isRecord(value) ? value : {}).filter(([key]) => !wrong.has(key));
  return { kept: schema.safeParse(Object.fromEntries(right)).data, complete: false };
}

function isWrongType({ code }: Issue): boolean {
  return code === "invalid_type";
}

/** Chooses the issues of the form that the writer most likely meant. */
function chooseIssue(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const meant = issue.errors.filter((errors) => !errors.some(isAnotherForm));
  if (meant.length !== 1) return [issue];
  return (meant[0] ?? []).flatMap((inner) =>
    chooseIssue({ ...inner, path: [...issue.path, ...inner.path] }),
  );
}

function isAnotherForm({ code, path }: Issue): boolean {
  return path.length === 0 && (code === "invalid_type" || code === "invalid_value");
}

function explain(
  issue: Issue,
  knownKeys: ReadonlyMap<readonly string[], readonly string[]>,
  root: unknown,
): Finding[] {
  const path = toPath(issue.path);
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys.get(issue.keys) ?? [];
    return issue.keys.map((key) => {
      const lost = lostKey(key, known);
      if (lost !== undefined) {
        return { path: [...path, key], message: describeMissingSpace(lost), atKey: true };
      }
      const hint = suggestWord(key, known) || `; allowed: ${known.join(", ")}`;
      return { path: [...path, key], message: `is not a known key${hint}`, atKey: true };
    });
  }
  if (issue.code === "invalid_key") {
    const message = issue.issues.map((inner) => inner.message).join("; ");
    return [{ path, message, atKey: true }];
  }
  const value = valueAt(root, path);
  // The message of the schema describes the format, which does not help if the value is missing.
  const replaced = issue.code !== "custom" && !("discriminator" in issue);
  if (replaced && value === undefined) {
    return isLost(root, path) ? [] : [{ path, message: "is missing" }];
  }
  if (replaced && value === null) return [{ path, message: "has no value" }];
  return [{ path, message: issue.message }];
}

/** Returns the known key at the beginning of a key such as `host:db.example`. */
function lostKey(key: string, known: readonly string[]): string | undefined {
  const begin = findKeyWithoutSpace(key);
  return begin !== undefined && known.includes(begin) ? begin : undefined;
}

/** Whether a key is missing only because the space after its colon is missing. */
function isLost(root: unknown, path: Path): boolean {
  const around = valueAt(root, path.slice(0, -1));
  return (
    isRecord(around) && Object.keys(around).some((key) => findKeyWithoutSpace(key) === path.at(-1))
  );
}

function toPath(steps: readonly PropertyKey[]): Path {
  return steps.map((step) => (typeof step === "number" ? step : String(step)));
}

function listKeys(schema: unknown): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => {
    if (Array.isArray(value))
      return typeof step === "number" ? (value[step] as unknown) : undefined;
    return isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }, root);
}
