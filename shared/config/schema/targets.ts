import { z } from "zod";
import type { PasswordRules } from "../../core/secrets/password.ts";
import { type Endpoint, maxGraceMs, payloadFormats } from "../../core/target.ts";
import { duration, name, secretName, secretOrName, secretPlace } from "./fields.ts";
import { overridesSchema } from "./policies.ts";

/** The part of a rotator that the configuration check uses. No check depends on the type itself. */
export interface ConfigRotator {
  readonly type: string;
  readonly mistakenFor?: readonly string[];
  readonly options: z.ZodType;
  readonly capabilities: {
    readonly selfService: boolean;
    readonly identity: boolean;
    readonly admin: boolean;
  };
  endpoint(options: unknown): Endpoint;
  accountRealm?(options: unknown): string;
  accountHolder?(options: unknown): string;
  defaultAccounts?(options: unknown): readonly string[] | undefined;
  readonly accountOption?: string;
  overlaps?(options: unknown): boolean;
  findLifetime?(options: unknown): number;
  findOptionFaults?(
    options: unknown,
    as: "self" | "admin" | "identity",
  ): readonly { readonly path: readonly string[]; readonly message: string }[];
  findUnfitRules?(rules: PasswordRules): string | undefined;
  findUnfitAccount?(account: string, options?: unknown): string | undefined;
  /** Present when the rotator can report whether an account is in use. */
  readonly hasSessions?: unknown;
  findSessionsFault?(options: unknown): string | undefined;
  /** Present when the rotator can end an account of a pair. */
  readonly retire?: unknown;
  /** Present when Keyturn can set a secret that it chooses. */
  readonly apply?: unknown;
  /** Present when the system creates its secrets. */
  readonly mint?: unknown;
  /** Present when the system can say whose secret one is. */
  readonly findOwner?: unknown;
  /** Present when the system has connection strings of its own. */
  readonly toConnectionString?: unknown;
  findTextFault?(options: unknown): string | undefined;
  findPasswordFault?(options: unknown): string | undefined;
  findRetireFault?(options: unknown): string | undefined;
}

/** Tags that Keyturn and the samples of Azure write. A secret can have 15 tags. */
const reservedTags = /^(keyturn-.*|credentialid|provideraddress|validityperioddays)$/i;
const maxTags = 15 - 6;

const account = z
  .string()
  .regex(/^\P{Cc}{1,128}$/u, "must be 1 to 128 characters, without control characters");

const accountEntry = z.union(
  [
    account,
    z.strictObject({
      name: account.describe("Name of the account."),
      initial: secretOrName
        .optional()
        .describe(
          "The secret that holds the current password of the account. Use it if the published secret does not hold that password.",
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
        .describe("Account name of the administrator. Default: the user name in the secret."),
    }),
  ],
  { error: 'must be "self", "managed-identity", or a mapping with secret' },
);

/** The forms of a published secret. */
export const format = z.enum(payloadFormats);

const formatHelp =
  "json: account, password and address. password: only the password or key. connection-string: the connection string of the service, for systems that have one. uri, jdbc, ado, odbc, libpq, sqlalchemy: address, account and password in one text, as these clients write it.";

const publish = z.union(
  [
    secretName,
    z.strictObject({
      ...secretPlace.shape,
      as: format.default("json").describe(formatHelp),
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
      .refine((tag) => !reservedTags.test(tag), "is reserved for a tag that Keyturn writes"),
    z.string().max(256),
  )
  .refine((all) => Object.keys(all).length <= maxTags, `must have at most ${maxTags} entries`)
  .default({});

export const targetFields = z.strictObject({
  type: z.string().describe("Type of the system, which selects the rotator."),
  options: z
    .unknown()
    .optional()
    .describe("Address of the system and how to connect to it. The options depend on type."),
  accounts: z
    .array(accountEntry)
    .min(1)
    .max(2)
    .describe(
      "One account: its password is changed in place. Two accounts (a pair): they take turns.",
    ),
  admin: admin.describe(
    "Who changes the password: self (the account itself), managed-identity (the identity of the app), or an administrator whose secret is named here.",
  ),
  publish: publish.describe("The secret that consumers read."),
  policy: name
    .optional()
    .describe(
      "Name of the policy. Default: the policy that matches, or else the policy named default.",
    ),
  overrides: overridesSchema.optional(),
  after: name
    .optional()
    .describe(
      "The target that this one follows: after each successful rotation of it, Keyturn requests a rotation of this target.",
    ),
  grace: duration(0, maxGraceMs)
    .optional()
    .describe(
      "How long a superseded password stays valid. Default: grace of the policy. For pairs, and for single accounts that may have two passwords.",
    ),
  consumers: z
    .array(name)
    .max(100)
    .default([])
    .describe("Names of the consumers that are notified about new versions."),
  tags: tags.describe("Tags for the published secret. Keyturn adds its own tags."),
});

/** A schema that accepts any subset of the fields of a target. */
export const targetDraft = targetFields.partial();

export type TargetInput = z.output<typeof targetFields>;

/** The schema of a target, with the types of these rotators. Unless they are all that exist, any other type is accepted. */
export function makeTargetSchema(rotators: readonly ConfigRotator[], isComplete = true) {
  const types = rotators.map(({ type }) => type);
  const { description = "" } = targetFields.shape.type;
  return targetFields
    .extend({
      type: (isComplete
        ? z.enum(types, { error: ({ input }) => suggestType(input, rotators) })
        : z.string()
      ).describe(description),
    })
    .describe("A credential that Keyturn rotates.");
}

function suggestType(written: unknown, rotators: readonly ConfigRotator[]): string | undefined {
  const meant = findMeant(written, rotators);
  return meant && `is not a type of target; use ${meant.type}`;
}

/** The rotator that somebody meant who wrote this as the type. */
export function findMeant(
  written: unknown,
  rotators: readonly ConfigRotator[],
): ConfigRotator | undefined {
  const name = String(written).toLowerCase();
  return rotators.find(({ type, mistakenFor = [] }) => [type, ...mistakenFor].includes(name));
}

/** For editors: the shape of the options of one type, without its required fields. */
export function makeLooseOptions(rotator: ConfigRotator) {
  const { type, options } = rotator;
  const { $schema: _, required: _r, ...shape } = toTargetSchema(options);
  const properties = { options: shape };
  return {
    if: ofType(type),
    then: rotator.defaultAccounts ? { properties } : { properties, required: ["accounts"] },
  };
}

/** Whether nobody but the app's identity can change a secret of the system. */
export const isIdentityOnly = ({ capabilities }: ConfigRotator): boolean =>
  capabilities.identity && !capabilities.selfService && !capabilities.admin;

/** For editors: the required options of one type. They apply only to files without `targetDefaults`. */
export function makeOptions(rotator: ConfigRotator) {
  const { type, options } = rotator;
  const { required = [] } = toTargetSchema(options);
  const needed = required.length > 0 ? { properties: { options: { required } } } : {};
  const fields = [
    ...(required.length > 0 ? ["options"] : []),
    ...(isIdentityOnly(rotator) ? [] : ["admin"]),
  ];
  return {
    if: ofType(type),
    then: { ...needed, ...(fields.length > 0 && { required: fields }) },
  };
}

function toTargetSchema(options: z.ZodType) {
  return z.toJSONSchema(options, { io: "input", target: "draft-7", unrepresentable: "any" });
}

function ofType(type: string) {
  return { required: ["type"], properties: { type: { const: type } } };
}
