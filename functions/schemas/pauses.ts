import { z } from "zod";
import { endpoint } from "../http/endpoint.ts";
import {
  justification,
  keyedHeaders,
  list,
  moment,
  sentence,
  targetId,
  targetList,
  targetParams,
} from "./common.ts";
import { pause, targetFilters } from "./targets.ts";

/** Bytes. Enough for the longest list of targets. */
const maxSelectionBytes = 128 * 1024;
const maxTargets = 1_000;

const wanted = {
  reason: sentence("reason", "the reason for the pause").describe(
    "Why the target is left alone. Everyone who waits for the pause sees it.",
  ),
  ticket: justification.ticket,
  until: moment(
    '`until` is required, because every pause ends. It must be a date or time such as "2026-12-20" or "2026-12-20T18:00:00Z".',
  ).describe("When the pause ends: in the future, at most 90 days ahead."),
};

const selection = {
  targets: targetList(maxTargets)
    .optional()
    .describe("The ids of the targets. Cannot be combined with filters."),
  ...targetFilters,
  overdue: z
    .literal(true)
    .optional()
    .describe("`true`: only targets that were due more than 15 minutes ago."),
};

const filterNames = Object.keys(targetFilters);

/** Requires a list or a filter: everything is a selection that nobody should make by mistake. */
const withSelection = <Schema extends z.ZodObject>(schema: Schema) =>
  schema.check((context) => {
    const given = Object.entries(context.value)
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name);
    const filters = given.filter((name) => filterNames.includes(name));
    const isList = given.includes("targets");
    const refuse = (message: string) =>
      context.issues.push({ code: "custom", message, input: context.value });
    if (isList && filters.length > 0) {
      refuse(`\`targets\` and \`${filters[0] ?? ""}\` cannot be combined. Give a list or filters.`);
    }
    if (!isList && filters.length === 0) {
      refuse(`Select targets: give \`targets\` or at least one of ${filterNames.join(", ")}.`);
    }
  });

const notWritten = list(z.object({ target: targetId, why: z.string() })).describe(
  "Targets that could not be written, and what to do.",
);

const pausedTarget = z.object({
  target: targetId,
  pause,
  replaced: pause
    .optional()
    .describe("The pause that was in force already. The new one replaces its end and its reason."),
  why: z
    .string()
    .describe("What the pause delays, and what happens to a rotation that is under way."),
});

const resumedTarget = z.object({
  target: targetId,
  resumed: z.boolean().describe("Whether a pause has ended."),
  why: z.string(),
  pause: pause
    .optional()
    .describe("A pause that somebody set while this request was made. It stays in force."),
});

export const pauseTarget = endpoint({
  group: "Pauses and freezes",
  route: "api-pause",
  summary: "Pause a target",
  description:
    "No rotation and no retirement starts before the end. A rotation that may have changed the password is finished; one that has changed nothing waits. Checks of the published secret go on. Requests are accepted and wait, unless they have `force`. Pausing a paused target replaces the end and the reason.",
  params: targetParams,
  headers: keyedHeaders,
  body: { json: z.strictObject(wanted) },
  answers: {
    200: {
      description: "The target is paused.",
      content: { "application/json": pausedTarget.meta({ id: "PausedTarget" }) },
    },
  },
  problems: ["target-not-found", "busy"],
});

export const resumeTarget = endpoint({
  group: "Pauses and freezes",
  route: "api-resume",
  summary: "End the pause of a target",
  description: "What waited for the end of the pause starts at once.",
  params: targetParams,
  headers: keyedHeaders,
  body: { json: z.strictObject(justification) },
  answers: {
    200: {
      description: "The target is not paused, unless `pause` says otherwise.",
      content: { "application/json": resumedTarget.meta({ id: "ResumedTarget" }) },
    },
  },
  problems: ["target-not-found", "busy"],
});

export const pauseTargets = endpoint({
  group: "Pauses and freezes",
  route: "api-pauses",
  summary: "Pause many targets",
  description:
    "Selects targets by `targets`, or by filters, which must all match. Each target is written by itself; the answer says which could not be written. Targets that match a filter later are not paused.",
  headers: keyedHeaders,
  body: {
    json: withSelection(z.strictObject({ ...wanted, ...selection })),
    maxBytes: maxSelectionBytes,
  },
  answers: {
    200: {
      description: "What was paused.",
      content: {
        "application/json": z
          .object({
            paused: list(pausedTarget).describe(
              "Targets that are paused now. Those with `replaced` were paused already.",
            ),
            notWritten,
          })
          .meta({ id: "PausedTargets" }),
      },
    },
  },
  problems: ["target-not-found", "busy"],
});

export const resumeTargets = endpoint({
  group: "Pauses and freezes",
  route: "api-resumes",
  summary: "End the pauses of many targets",
  description:
    "Selects targets as `POST /api/pauses` does. What waited for the end of the pauses starts at once. If more than 100 targets waited, the next sweep, within about a minute, starts the others.",
  headers: keyedHeaders,
  body: {
    json: withSelection(z.strictObject({ ...justification, ...selection })),
    maxBytes: maxSelectionBytes,
  },
  answers: {
    200: {
      description: "What was resumed.",
      content: {
        "application/json": z
          .object({
            resumed: list(resumedTarget).describe("Targets whose pause has ended."),
            notPaused: list(resumedTarget).describe(
              "Targets without a pause, and those that somebody has just paused again.",
            ),
            notWritten,
          })
          .meta({ id: "ResumedTargets" }),
      },
    },
  },
  problems: ["target-not-found", "busy"],
});
