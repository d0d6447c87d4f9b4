import { z } from "zod";
import { endpoint } from "../http/endpoint.ts";
import {
  instant,
  justification,
  keyedHeaders,
  list,
  moment,
  sentence,
  targetList,
  ulid,
} from "./common.ts";
import { targetFilters } from "./targets.ts";

/** Bytes. Enough for the longest list of targets. */
const maxBodyBytes = 64 * 1024;
/** More do not fit into one row of the journal. */
const maxTargets = 400;

const freezeId = ulid("freeze").meta({ id: "FreezeId" });

const liftReasons = ["exposure", "breach"] as const;

const freeze = z
  .object({
    id: freezeId,
    state: z.enum(["planned", "in force", "ended"]),
    reason: z.string(),
    ticket: z.string().optional(),
    by: z.string().describe("Who set it."),
    at: instant.describe("When it was set."),
    from: instant,
    until: instant,
    lift: list(z.enum(["exposure", "breach", "operator"])).describe(
      "The reasons for which a rotation starts in spite of the freeze.",
    ),
    selection: z
      .object({
        targets: list(z.string()).optional(),
        policy: z.string().optional(),
        type: z.string().optional(),
        vault: z.string().optional(),
        tags: list(list(z.string())).optional(),
      })
      .describe("The targets that it applies to. Without a field, all."),
    matches: z.number().describe("How many configured targets it applies to now."),
    endedAt: instant.optional().describe("When a person ended it early."),
    endedBy: z.string().optional(),
    endReason: z.string().optional(),
    endTicket: z.string().optional(),
  })
  .meta({ id: "Freeze" });

const { policy, type, vault, owner, tag } = targetFilters;

const selection = {
  everything: z.literal(true).optional().describe("`true`: all targets, also those to come."),
  targets: targetList(maxTargets).optional().describe("Ids of targets."),
  ...{ policy, type, vault, owner, tag },
};

const names = Object.keys(selection);

/** Freezing everything must be meant, and a selection beside it would be a contradiction. */
const withSelection = <Schema extends z.ZodObject>(schema: Schema) =>
  schema.check((context) => {
    const given = names.filter((name) => context.value[name] !== undefined);
    const refuse = (message: string) =>
      context.issues.push({ code: "custom", message, input: context.value });
    if (given.length === 0) {
      refuse(
        `Select targets: give \`everything\` or at least one of ${names.slice(1).join(", ")}.`,
      );
    }
    if (given.includes("everything") && given.length > 1) {
      refuse(`\`everything\` and \`${given[1] ?? ""}\` cannot be combined. Give one of them.`);
    }
  });

export const createFreeze = endpoint({
  group: "Pauses and freezes",
  route: "api-freeze",
  summary: "Freeze targets now, or from a moment on",
  description:
    "Until its end no rotation of the selected targets starts, exactly as in a freeze of their policy. It applies to targets that match later, too, but at least one must match now. A rotation that may have changed the password is finished. Every worker knows the freeze within 15 seconds.",
  headers: keyedHeaders,
  body: {
    json: withSelection(
      z.strictObject({
        reason: sentence("reason", "the reason for the freeze").describe(
          "Everyone whose rotation waits for the freeze sees it.",
        ),
        ticket: justification.ticket,
        from: moment('`from` must be a date or time such as "2026-12-20T18:00:00Z".')
          .optional()
          .describe("When it begins. Default: now."),
        until: moment(
          '`until` is required, because every freeze ends. It must be a date or time such as "2026-12-20" or "2026-12-20T18:00:00Z".',
        ).describe("When it ends: in the future, at most 366 days ahead."),
        lift: z
          .array(z.enum(liftReasons), "`lift` must be a list.")
          .default([...liftReasons])
          .describe("The reasons for which a rotation starts in spite of the freeze."),
        ...selection,
      }),
    ),
    maxBytes: maxBodyBytes,
  },
  answers: {
    201: { description: "The freeze is set.", content: { "application/json": freeze } },
  },
  problems: ["busy"],
});

export const listFreezes = endpoint({
  group: "Pauses and freezes",
  route: "api-freezes",
  summary: "List the freezes that people have set, oldest first",
  description:
    "With those that have ended, until the retention removes them. The freezes of policies are in the configuration.",
  answers: {
    200: {
      description: "The freezes.",
      content: { "application/json": z.object({ freezes: list(freeze) }) },
    },
  },
  problems: [],
});

export const endFreeze = endpoint({
  group: "Pauses and freezes",
  route: "api-freeze-end",
  summary: "End a freeze early",
  description:
    "What waited for the end of the freeze starts after 15 seconds, when every worker knows of the end. If more than 100 targets waited, the next sweep, within about a minute, starts the others. A freeze that has ended stays as it is.",
  params: z.strictObject({ freeze: freezeId }),
  headers: keyedHeaders,
  body: { json: z.strictObject(justification) },
  answers: {
    200: { description: "The freeze has ended.", content: { "application/json": freeze } },
  },
  problems: ["freeze-not-found", "busy"],
});
