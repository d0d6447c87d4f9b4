import { z } from "zod";
import { ledgerActions, ledgerOutcomes } from "../../shared/app.ts";
import { endpoint } from "../http/endpoint.ts";
import { instant, list, moment, next, pageQuery, rotationId, targetId } from "./common.ts";

const hash = z
  .string()
  .meta({ examples: ["0".repeat(64)] })
  .describe("SHA-256 in hexadecimal digits.");

const entry = z
  .object({
    sequence: z.int().describe("Its number in the chain, from 1."),
    id: z.string(),
    at: instant,
    by: z.string().describe("Who did it: a caller, `schedule` or `keyturn`."),
    action: z.string().describe(`What was done: ${ledgerActions.join(", ")}.`),
    outcome: z.string().describe(`One of ${ledgerOutcomes.join(", ")}.`),
    targets: list(z.string()).optional(),
    selection: z
      .string()
      .optional()
      .describe("The targets in words, where they were not named one by one."),
    rotations: list(z.string()).optional(),
    cause: z.string().optional().describe("What makes a rotation necessary, such as `exposure`."),
    reason: z.string().optional().describe("Why, in the words of the caller."),
    ticket: z.string().optional(),
    detail: z.string().optional(),
    hash: hash.describe("Covers the entry, its number and the hash of the entry before."),
  })
  .meta({ id: "LedgerEntry", description: "One thing that happened. It contains no secret." });

const head = z
  .object({
    head: z.object({
      segment: z.int(),
      first: z.int().describe("The number of the first entry of the segment."),
      sequence: z.int().describe("The number of the last entry of the segment."),
      hash: hash.describe("The hash of that entry, which covers all entries before."),
      at: instant.describe("When the segment was sealed."),
    }),
    signature: z
      .object({
        key: z.string().describe("The address of the version of the key in Key Vault."),
        value: z.string().describe("ES256 over the canonical JSON of the head, in base64url."),
      })
      .optional()
      .describe("Absent without a key in the configuration, and for seconds after the sealing."),
  })
  .meta({ id: "LedgerHead", description: "The end of the chain. Keep it to detect changes." });

const sentence = (name: string, maxLength: number) => {
  const error = `\`${name}\` must be a text of 1 to ${maxLength} characters.`;
  return z.string(error).min(1, error).max(maxLength, error);
};

/** Bytes are many in an export: whole segments, so that it can be verified. */
export const formats = ["json", "jsonl"] as const;

const segmentError = "`segment` must be a whole number from 1.";

export const listAudit = endpoint({
  route: "api-audit",
  group: "Ledger",
  summary: "List what was done, newest first, or export the ledger",
  description:
    "Every request that changed something, every refused one, and every rotation that ended is an entry. A page may have fewer entries than `limit`, or none, although `next` is present: a filter reads only so many entries at a time. " +
    "With `format=jsonl`, or `Accept: application/jsonl`, the answer is an export in the order of the chain, which `keyturn audit verify` checks: whole segments, each with its head and signature. The header `Link` has the address of the next part.",
  query: pageQuery.extend({
    format: z.enum(formats).optional().describe("Default: `json`."),
    target: targetId.optional().describe("Entries about this target."),
    rotation: rotationId.optional().describe("Entries about this rotation."),
    by: sentence("by", 200).optional().describe("Entries of this caller."),
    action: z.enum(ledgerActions).optional(),
    outcome: z.enum(ledgerOutcomes).optional(),
    ticket: sentence("ticket", 200).optional(),
    since: moment('`since` must be a day or a time such as "2026-12-20T18:00:00Z".')
      .optional()
      .describe("The earliest moment. An export begins with the segment that was filled then."),
    until: moment('`until` must be a day or a time such as "2026-12-20T18:00:00Z".')
      .optional()
      .describe(
        "Entries of this moment and later are left out. An export ends with the segment that was filled then.",
      ),
    segment: z
      .string(segmentError)
      .regex(/^[1-9]\d{0,9}$/, segmentError)
      .transform(Number)
      .optional()
      .meta({
        override: ({ jsonSchema }) => {
          delete jsonSchema.pattern;
          Object.assign(jsonSchema, { type: "integer", minimum: 1 });
        },
      })
      .describe("The first segment of an export. Default: the first that is stored."),
  }),
  answers: {
    200: {
      description: "A page of entries, or a part of an export.",
      content: {
        "application/json": z.object({ entries: list(entry), next }),
        "application/jsonl": z.string(),
      },
    },
  },
  problems: ["record-unreadable"],
});

export const getAuditHead = endpoint({
  route: "api-audit-head",
  group: "Ledger",
  summary: "Show the newest head of the ledger",
  description:
    "Keep it outside of Azure Storage. `keyturn audit verify --head` then shows whether entries were removed or changed since.",
  answers: {
    200: { description: "The head.", content: { "application/json": head } },
  },
  problems: ["no-ledger-entry", "record-unreadable"],
});
