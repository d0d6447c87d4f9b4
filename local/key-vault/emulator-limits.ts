import { z } from "zod";
import { badParameter, VaultError } from "./vault-error.ts";

export const LIMITS = {
  valueBytes: 25 * 1024,
  contentTypeLength: 255,
  tags: 15,
  tagLength: 512,
  page: 25,
  /** Enough for the largest value and tags with every character escaped. */
  bodyBytes: 256 * 1024,
  /** The service documents no limit for a restored backup. This is larger than any backup. */
  restoreBytes: 128 * 1024 * 1024,
  /** A name with more versions cannot be backed up. */
  backupVersions: 500,
} as const;

const API_VERSIONS: readonly string[] = [
  ...["7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6"],
  ...["2025-07-01", "2026-04-01"],
];

const NAME = /^[0-9A-Za-z-]{1,127}$/;
const VERSION = /^[0-9a-f]{32}$/i;

const tag = z.string().max(LIMITS.tagLength);

/** The service treats null as absent. */
const settings = {
  contentType: z.string().max(LIMITS.contentTypeLength).nullish(),
  attributes: z
    .object({
      enabled: z.boolean().nullish(),
      nbf: z.int().nonnegative().nullish(),
      exp: z.int().nonnegative().nullish(),
    })
    .nullish(),
  tags: z
    .record(tag, tag)
    .refine(
      (tags) => Object.keys(tags).length <= LIMITS.tags,
      `A secret has at most ${String(LIMITS.tags)} tags`,
    )
    .nullish(),
};

const updateBody = z.object(settings);

const createBody = z.object({
  ...settings,
  value: z
    .string()
    .refine(
      (value) => Buffer.byteLength(value) <= LIMITS.valueBytes,
      `The value is larger than ${String(LIMITS.valueBytes)} bytes`,
    ),
});

const restoreBody = z.object({ value: z.string() });

export type CreateBody = z.infer<typeof createBody>;
export type UpdateBody = z.infer<typeof updateBody>;

export const parseCreateBody = (body: Buffer | undefined): CreateBody => parse(createBody, body);
export const parseUpdateBody = (body: Buffer | undefined): UpdateBody => parse(updateBody, body);
/** Parses a body with a backup as `backup-secret` encodes it. */
export const parseRestoreBody = (body: Buffer | undefined): string =>
  parse(restoreBody, body, LIMITS.restoreBytes).value;

/** Parses the body of an operation that has its own schema. */
export const parseBody = <T>(schema: z.ZodType<T>, body: Buffer | undefined): T =>
  parse(schema, body);

function parse<T>(
  schema: z.ZodType<T>,
  body: Buffer | undefined,
  limit: number = LIMITS.bodyBytes,
): T {
  if (body === undefined || body.length > limit) {
    throw new VaultError(413, "RequestEntityTooLarge", "The request body is too large.");
  }
  const result = schema.safeParse(readJson(body));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  // The issue names the rule and the place. It never quotes the input, which contains the secret.
  const place = issue === undefined || issue.path.length === 0 ? "body" : issue.path.join(".");
  throw badParameter(`The parameter ${place} is invalid. ${issue?.message ?? ""}`.trimEnd());
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    // The message of JSON.parse quotes the input, so it must not reach the caller.
    throw badParameter("The request body is not valid JSON.");
  }
}

export function checkApiVersion(query: URLSearchParams): string {
  const version = query.get("api-version");
  if (version === null || version === "") throw badParameter("api-version must be specified");
  if (API_VERSIONS.includes(version)) return version;
  throw badParameter(`The specified version (${version}) is not recognized.`);
}

export function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw badParameter(`The request URI contains an invalid name: ${name}`);
}

/** Like the service, treats anything but a version in this place as the name of an operation. */
export function checkVersion(version: string, method: string): string {
  if (VERSION.test(version)) return version.toLowerCase();
  throw badParameter(`Method ${method} does not allow operation '${version}'`);
}

export function checkPageSize(query: URLSearchParams): number {
  const text = query.get("maxresults");
  if (text === null) return LIMITS.page;
  const size = Number(text);
  if (/^\d+$/.test(text) && size >= 1 && size <= LIMITS.page) return size;
  throw badParameter(`maxresults must be between 1 and ${String(LIMITS.page)}`);
}
