import { z } from "zod";
import { itemStates } from "../../shared/app.ts";
import { endpoint } from "../http/endpoint.ts";
import { breach, breachId, breachTarget, unreadableBreach } from "./breach-answers.ts";
import {
  cursor,
  duration,
  justification,
  keyedHeaders,
  limit,
  list,
  next,
  pageQuery,
  sentence,
  targetList,
} from "./common.ts";
import { targetFilters } from "./targets.ts";

/** Bytes. Enough for the longest list of targets. */
const maxBodyBytes = 64 * 1024;
/** More do not fit into one row of the journal. */
const maxTargets = 400;
const maxTags = 20;

const day = 24 * 60 * 60 * 1_000;

const params = z.strictObject({ breach: breachId });

const hostError =
  "`host` must be a host name or an address, with or without a port, such as `db1.example.com` or `db1.example.com:5432`.";
const exposedByError = "`exposedBy` must be the name in an exposure, in 1 to 200 characters.";
const tagsError = `\`tags\` must be a list of 1 to ${maxTags} names and values such as \`env:production\`.`;

const { policy, type, vault, owner } = targetFilters;

const selection = {
  targets: targetList(maxTargets)
    .optional()
    .describe("The ids of the targets. Cannot be combined with conditions."),
  tags: z
    .array(targetFilters.tag.unwrap(), tagsError)
    .min(1, tagsError)
    .max(maxTags, tagsError)
    .optional()
    .describe("Only targets with all of these tags, such as `env:production`."),
  owner,
  host: z
    .string(hostError)
    .regex(/^[\w.:[\]-]{1,255}$/, hostError)
    .optional()
    .describe("Only targets on this host, or at this `host:port`."),
  ...{ vault, type, policy },
  exposedBy: z
    .string(exposedByError)
    .regex(/^.{1,200}$/su, exposedByError)
    .optional()
    .describe(
      "Only targets whose present secret this identity was reported to have seen (`by` of an exposure).",
    ),
};

const names = Object.keys(selection);

/** Requires a list or a condition: a breach of everything is nothing that somebody should start by mistake. */
const withSelection = <Schema extends z.ZodObject>(schema: Schema) =>
  schema.check((context) => {
    const given = names.filter((name) => context.value[name] !== undefined);
    const refuse = (message: string) =>
      context.issues.push({ code: "custom", message, input: context.value });
    if (given.length === 0) refuse(`Select targets: give at least one of ${names.join(", ")}.`);
    if (given.includes("targets") && given.length > 1) {
      refuse(
        `\`targets\` and \`${given[1] ?? ""}\` cannot be combined. Give a list or conditions.`,
      );
    }
  });

export const previewBreach = endpoint({
  group: "Breaches",
  route: "api-breach-preview",
  summary: "Say what a breach would do",
  description:
    "Selects targets by a list, or by conditions that must all match, and says in which order they would be rotated, who would be affected, and how long it would take. Nothing is rotated before the preview is confirmed. A preview can be confirmed for an hour.",
  headers: keyedHeaders,
  body: {
    json: withSelection(
      z.strictObject({
        reason: sentence("reason", "the reason for the breach").describe(
          "Why the secrets may be known. It is in the history of every rotation.",
        ),
        ticket: justification.ticket,
        giveUpAfter: duration("giveUpAfter", day)
          .refine((ms) => ms >= 10_000, "`giveUpAfter` must be at least 10s.")
          .optional()
          .describe(
            "How long the breach waits for a rotation that has begun, before it reports the target as `unfinished`. Default: 15m.",
          ),
        ...selection,
      }),
    ),
    maxBytes: maxBodyBytes,
  },
  answers: {
    201: {
      description: "The preview. Nothing is rotated.",
      headers: z.object({ location: z.string().describe("The path of the breach.") }),
      content: {
        "application/json": z
          .object({
            breach,
            targets: list(breachTarget).describe("The first 100 targets, in their order."),
            next: z.string().optional().describe("The path of the other targets."),
          })
          .meta({ id: "BreachPreview", description: "What a breach would do." }),
      },
    },
  },
  problems: ["busy", "record-unreadable"],
});

export const listBreaches = endpoint({
  group: "Breaches",
  route: "api-breaches",
  summary: "List breaches and previews, newest first",
  query: pageQuery,
  answers: {
    200: {
      description: "A page of breaches.",
      content: {
        "application/json": z.object({
          breaches: list(z.union([breach, unreadableBreach])),
          next,
        }),
      },
    },
  },
  problems: [],
});

export const getBreach = endpoint({
  group: "Breaches",
  route: "api-breach",
  summary: "Show the progress of a breach",
  params,
  answers: {
    200: { description: "The breach.", content: { "application/json": breach } },
  },
  problems: ["breach-not-found", "record-unreadable"],
});

export const listBreachTargets = endpoint({
  group: "Breaches",
  route: "api-breach-targets",
  summary: "List the targets of a breach",
  description:
    "In their order. Before the breach runs, the preview; while it runs, the progress; when it has ended, the report.",
  params,
  query: z.strictObject({
    limit: limit.default(100).describe("The number of entries of a page. Default: 100."),
    cursor,
    state: z.enum(itemStates).optional().describe("Only targets in this state."),
  }),
  answers: {
    200: {
      description: "A page of targets.",
      content: { "application/json": z.object({ targets: list(breachTarget), next }) },
    },
  },
  problems: ["breach-not-found", "record-unreadable"],
});

export const confirmBreach = endpoint({
  group: "Breaches",
  route: "api-breach-confirm",
  summary: "Start a breach after its preview",
  description:
    "Rotates the targets in their order, as many at a time as their servers and vaults have room for. Confirming a breach again in the same way changes nothing. A preview is stale when other targets are selected now, or when the configuration of one has changed.",
  params,
  headers: keyedHeaders,
  body: {
    json: z.strictObject({
      ...justification,
      force: z
        .boolean()
        .default(false)
        .describe("`true`: pauses of targets do not delay their rotations."),
      liftFreezes: z
        .boolean()
        .default(false)
        .describe(
          "`true`: no freeze delays the rotations. Freezes that a breach lifts never delay them.",
        ),
    }),
  },
  answers: {
    200: {
      description: "The breach runs, or has been confirmed before.",
      content: { "application/json": breach },
    },
  },
  problems: [
    ...(["breach-not-found", "breach-stale", "breach-state"] as const),
    ...(["busy", "record-unreadable"] as const),
  ],
});

const changing = {
  group: "Breaches",
  params,
  headers: keyedHeaders,
  body: { json: z.strictObject(justification) },
  problems: [
    ...(["breach-not-found", "breach-state", "busy"] as const),
    ...(["record-unreadable"] as const),
  ],
} as const;

export const pauseBreach = endpoint({
  ...changing,
  route: "api-breach-pause",
  summary: "Pause a breach",
  description: "Rotations that have begun end. No other begins until the breach is resumed.",
  answers: {
    200: { description: "The breach is paused.", content: { "application/json": breach } },
  },
});

export const resumeBreach = endpoint({
  ...changing,
  route: "api-breach-resume",
  summary: "Resume a paused breach",
  answers: {
    200: { description: "The breach runs.", content: { "application/json": breach } },
  },
});

export const cancelBreach = endpoint({
  ...changing,
  route: "api-breach-cancel",
  summary: "Cancel a breach or a preview",
  description:
    "Rotations that have begun end. The other targets are reported as `left`. It cannot be undone; make a new preview for the rest.",
  answers: {
    200: { description: "The breach ends.", content: { "application/json": breach } },
  },
});
