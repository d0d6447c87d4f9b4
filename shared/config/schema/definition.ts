import { z } from "zod";
import { longestRetention, shortestRetention } from "../../core/record/retention.ts";
import { targetDefaultsSchema } from "../checks/target-defaults.ts";
import { consumerSchema } from "./consumers.ts";
import { duration, maybe, name } from "./fields.ts";
import { notifierSchema } from "./notify.ts";
import { policySchema } from "./policies.ts";
import { type ConfigRotator, looseOptionsByType, optionsByType, targetSchema } from "./targets.ts";
import { vaultSchema } from "./vaults.ts";

/** Each target is compared with each of them. */
const mostPolicies = 1000;

/** One file of the configuration. In a folder, only `version` must be in each of them. */
export function fileSchema(target: ReturnType<typeof targetSchema>) {
  return z
    .strictObject({
      version: z.literal(1).describe("Version of this format."),
      vaults: z
        .record(name, vaultSchema)
        .default({})
        .describe("Key Vaults, by a name for use here."),
      policies: z
        .record(name, policySchema)
        .refine(
          (all) => Object.keys(all).length <= mostPolicies,
          `must have at most ${mostPolicies} entries; targets may share policies, and have overrides`,
        )
        .default({})
        .describe("Policies by name. The one named default is for targets that name none."),
      targetDefaults: targetDefaultsSchema.optional(),
      targets: z
        .record(name, target)
        .default({})
        .describe("What is rotated. The name is the target's id: in URLs, logs and the journal."),
      consumers: z
        .record(name, consumerSchema)
        .default({})
        .describe("Applications that use the secrets, by name."),
      retention: maybe(duration(shortestRetention, longestRetention)).describe(
        "How long history, idempotency keys and alarms are kept, at least 7d. Default: 400d. In one file of a folder.",
      ),
      notify: z.array(notifierSchema).default([]).describe("Who is told what happens."),
    })
    .describe("Configuration of Keyturn.");
}

/** What no target has from others. */
const ownFields = ["accounts", "publish"];

/** The same for editors, as JSON Schema (draft 7, which all of them know). */
export function jsonSchema(rotators: readonly ConfigRotator[]): Record<string, unknown> {
  const target = targetSchema(rotators);
  const { $schema, ...schema } = z.toJSONSchema(fileSchema(target), {
    io: "input",
    target: "draft-7",
    override: ({ zodSchema, jsonSchema: written }) => {
      if (zodSchema === target) {
        const { required = [] } = written;
        written.required = required.filter((field) => ownFields.includes(field));
        written.allOf = rotators.map(looseOptionsByType);
      }
    },
  });
  const { required = [] } = z.toJSONSchema(target, { io: "input", target: "draft-7" });
  const alone = { required, allOf: rotators.map(optionsByType) };
  return {
    $schema,
    title: "keyturn.yaml",
    ...schema,
    // What targets leave out may stand in what they share.
    allOf: [
      {
        if: { not: { required: ["targetDefaults"] } },
        then: { properties: { targets: { additionalProperties: alone } } },
      },
    ],
  };
}
