import { z } from "zod";
import { type Endpoint, longestGrace } from "../../core/target.ts";
import { duration, name, secretName, secretOrName, secretPlace } from "./fields.ts";
import { overridesSchema } from "./policies.ts";

/** What the configuration must know of a rotator. Nothing here branches on its type. */
export interface ConfigRotator {
  readonly type: string;
  readonly options: z.ZodType;
  readonly capabilities: {
    readonly selfService: boolean;
    readonly identity: boolean;
    readonly admin: boolean;
  };
  endpoint(options: unknown): Endpoint;
  accountRealm?(options: unknown): string;
  /** Present when it can tell whether anybody uses an account. */
  readonly hasSessions?: unknown;
}

/** Tags that Keyturn and Azure's own samples write; a secret has room for 15 in all. */
const reservedTags = /^(keyturn-.*|credentialid|provideraddress|validityperioddays)$/i;
const mostTags = 15 - 6;

const account = z
  .string()
  .regex(/^\P{Cc}{1,128}$/u, "must be 1 to 128 characters, none of them a control character");

const accountEntry = z.union(
  [
    account,
    z.strictObject({
      name: account.describe("Name of the account."),
      initial: secretOrName
        .optional()
        .describe(
          "Where the password is that the account has today, when it is not in the published secret.",
        ),
    }),
  ],
  { error: "must be the name of an account, or a mapping with name and initial" },
);

const admin = z.union(
  [
    z.enum(["self", "managed-identity"]),
    z.strictObject({
      ...secretPlace.shape,
      account: account
        .optional()
        .describe("Name of the administrator. Default: the user name in the secret."),
    }),
  ],
  { error: 'must be "self", "managed-identity", or a mapping with secret' },
);

const publish = z.union(
  [
    secretName,
    z.strictObject({
      ...secretPlace.shape,
      as: z
        .enum(["json", "password"])
        .default("json")
        .describe("json: account, password and address. password: the password alone."),
    }),
  ],
  { error: "must be the name of a secret, or a mapping with secret, vault and as" },
);

const tags = z
  .record(
    z
      .string()
      .min(1)
      .max(256)
      .refine((tag) => !reservedTags.test(tag), "is a tag that Keyturn writes by itself"),
    z.string().max(256),
  )
  .refine((all) => Object.keys(all).length <= mostTags, `must have at most ${mostTags} entries`)
  .default({});

export const targetFields = z.strictObject({
  type: z.string().describe("The kind of system: one of the rotators."),
  options: z.unknown().optional().describe("Where the system is; what fits depends on type."),
  accounts: z
    .array(accountEntry)
    .min(1)
    .max(2)
    .describe("One account: its password is changed in place. Two: they take turns."),
  admin: admin.describe(
    "Who changes the password: the account itself, the app's managed identity, or an administrator.",
  ),
  publish: publish.describe("The secret that consumers read."),
  policy: name
    .optional()
    .describe("Name of the policy. Default: the one that matches, or else the one named default."),
  overrides: overridesSchema.optional(),
  grace: duration(0, longestGrace)
    .optional()
    .describe(
      "How long a superseded password of a pair stays valid. Default: what the policy says. Pairs only.",
    ),
  consumers: z
    .array(name)
    .max(100)
    .default([])
    .describe("Names of the consumers that are told about a new version."),
  tags: tags.describe("Tags for the published secret. Keyturn adds its own."),
});

/** Any part of a target. */
export const targetDraft = targetFields.partial();

export type TargetInput = z.output<typeof targetFields>;

/** The fields, with the types there are. */
export function targetSchema(rotators: readonly ConfigRotator[]) {
  const types = rotators.map(({ type }) => type);
  const { description = "" } = targetFields.shape.type;
  return targetFields
    .extend({ type: z.enum(types).describe(description) })
    .describe("One credential that is kept fresh.");
}

/** For editors: the options that belong to one type. */
export function looseOptionsByType({ type, options }: ConfigRotator) {
  const { $schema: _, required: _r, ...shape } = toTargetSchema(options);
  return { if: ofType(type), then: { properties: { options: shape } } };
}

/** For editors: the options that one type cannot do without. */
export function optionsByType({ type, options }: ConfigRotator) {
  const { required = [] } = toTargetSchema(options);
  const needed = { properties: { options: { required } }, required: ["options"] };
  return { if: ofType(type), then: required.length > 0 ? needed : {} };
}

function toTargetSchema(options: z.ZodType) {
  return z.toJSONSchema(options, { io: "input", target: "draft-7" });
}

function ofType(type: string) {
  return { required: ["type"], properties: { type: { const: type } } };
}
