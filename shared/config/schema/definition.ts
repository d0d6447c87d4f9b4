import { z } from "zod";
import { maxRetentionMs, minRetentionMs } from "../../core/record/retention.ts";
import { targetDefaultsSchema } from "../checks/target-defaults.ts";
import { apiSchema } from "./api.ts";
import { consumerSchema } from "./consumers.ts";
import { duration, maybe, name } from "./fields.ts";
import { ledgerSchema } from "./ledger.ts";
import { modulesSchema } from "./modules.ts";
import { notifierSchema } from "./notifier-fields.ts";
import { policySchema } from "./policies.ts";
import { type ConfigRotator, makeLooseOptions, makeOptions, makeTargetSchema } from "./targets.ts";
import { vaultSchema } from "./vaults.ts";

/** The limit bounds the time of a check, which compares each target with each policy. */
const maxPolicies = 1000;

/** The schema of one file of the configuration. In a folder, each file needs `version` and nothing else. */
export function makeFileSchema(target: ReturnType<typeof makeTargetSchema>) {
  return z
    .strictObject({
      version: z.literal(1).describe("Version of the configuration format."),
      vaults: z
        .record(name, vaultSchema)
        .default({})
        .describe("Key vaults, by name. The name is used in this configuration only."),
      policies: z
        .record(name, policySchema)
        .refine(
          (all) => Object.keys(all).length <= maxPolicies,
          `must have at most ${maxPolicies} entries; share policies between targets, and use overrides for exceptions`,
        )
        .default({})
        .describe(
          "Policies, by name. The policy named default applies to targets that name no policy and match none.",
        ),
      targetDefaults: targetDefaultsSchema.optional(),
      targets: z
        .record(name, target)
        .default({})
        .describe(
          "Credentials to rotate. The name is the id of the target in URLs, logs and the journal.",
        ),
      rotators: modulesSchema,
      consumers: z
        .record(name, consumerSchema)
        .default({})
        .describe("Applications that use the secrets, by name."),
      retention: maybe(duration(minRetentionMs, maxRetentionMs)).describe(
        "How long Keyturn keeps history, idempotency keys and alarms. Minimum: 7d. Default: 400d. In a folder, only one file may set this field.",
      ),
      api: maybe(apiSchema).describe(
        "What the HTTP API requires of its callers. In a folder, only one file may set this field.",
      ),
      ledger: maybe(ledgerSchema).describe(
        "How the ledger of all changes is protected. In a folder, only one file may set this field.",
      ),
      notify: z
        .array(notifierSchema)
        .default([])
        .describe("Channels that receive events, such as alarms."),
    })
    .describe("Configuration of Keyturn.");
}

/** Accepts any other text, but still suggests the known types. */
function widenType(type: z.core.JSONSchema.BaseSchema): void {
  type.anyOf = [{ enum: type.enum ?? [] }, { pattern: "^[a-z][a-z0-9-]{0,62}$" }];
  delete type.enum;
}

/** Required fields that `targetDefaults` cannot provide. */
const ownFields = ["publish"];

/** Required fields that some types fill in. */
const chosen = ["accounts", "admin"];

/** Returns the schema for editors, as JSON Schema (draft 7, which all editors support). */
export function makeJsonSchema(rotators: readonly ConfigRotator[]): Record<string, unknown> {
  const target = makeTargetSchema(rotators);
  const { $schema, ...schema } = z.toJSONSchema(makeFileSchema(target), {
    io: "input",
    target: "draft-7",
    override: ({ zodSchema, jsonSchema: written }) => {
      if (zodSchema === target) {
        const { required = [] } = written;
        written.required = required.filter((field) => ownFields.includes(field));
        written.allOf = rotators.map(makeLooseOptions);
        const { type } = written.properties ?? {};
        if (typeof type === "object") widenType(type);
      }
    },
  });
  const { required = [] } = z.toJSONSchema(target, { io: "input", target: "draft-7" });
  const known = { enum: rotators.map(({ type }) => type) };
  const alone = {
    required: required.filter((field) => !chosen.includes(field)),
    allOf: rotators.map(makeOptions),
  };
  return {
    $schema,
    title: "keyturn.yaml",
    ...schema,
    allOf: [
      // Modules of the operator define more types.
      {
        if: { not: { required: ["rotators"] } },
        then: {
          properties: { targets: { additionalProperties: { properties: { type: known } } } },
        },
      },
      // With `targetDefaults`, a target may omit required fields.
      {
        if: { not: { required: ["targetDefaults"] } },
        then: { properties: { targets: { additionalProperties: alone } } },
      },
    ],
  };
}
