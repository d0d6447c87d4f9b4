import { z } from "zod";
import { liftReasons, weekdays } from "../../core/policy/policy.ts";
import { day } from "../../core/time.ts";
import { duration, maybe } from "./fields.ts";

const rangeMessage = 'must be hours such as "22:00-04:00"';

/** Written such as `22:00-04:00`. Whether there are such times is left to the check of the policy. */
const hourRange = z
  .string({ error: rangeMessage })
  .regex(/^\d\d:\d\d-\d\d:\d\d$/, rangeMessage)
  .transform((text) => ({ from: text.slice(0, 5), to: text.slice(6) }));

const appointmentMessage = 'must be a time of day such as "02:30"';
const appointment = z
  .string({ error: appointmentMessage })
  .regex(/^\d\d:\d\d$/, appointmentMessage);

const freeze = z.strictObject({
  from: z.string().max(40).describe("The first day, such as 2026-12-20, or an instant."),
  to: z.string().max(40).describe("The last day, or the instant from which changes start again."),
  reason: z.string().regex(/\S/, "must say why").max(200).describe("Shown to whoever has to wait."),
  lift: z
    .array(z.enum(liftReasons))
    .max(liftReasons.length)
    .default([])
    .describe("For whom a change starts all the same. Default: for nobody."),
});

/** Of a day. More of them are a mistake, or are meant to keep a process busy; cron says many times in few words. */
const mostRanges = 100;

/** When changes may start. */
export const windowFields = {
  days: maybe(z.array(z.enum(weekdays)).max(weekdays.length)).describe(
    "Days on which a change may start. Hours over midnight belong to the day they start on.",
  ),
  between: maybe(z.array(hourRange).max(mostRanges)).describe(
    'Hours in which a change may start, such as "22:00-04:00". Not together with at.',
  ),
  at: maybe(z.array(appointment).max(mostRanges)).describe(
    'Times of day at which a change starts, and otherwise not, such as "02:30".',
  ),
  cron: maybe(z.string().max(200)).describe(
    "Five fields: minute, hour, day of month, month, day of week. Instead of days, between and at.",
  ),
  timeZone: maybe(z.string().max(64)).describe("IANA name. Default: UTC."),
  freeze: maybe(z.array(freeze).max(100)).describe("Times in which no change starts."),
  spread: maybe(duration(0, 7 * day)).describe(
    "Targets start so much apart after a window opens, each always at the same distance.",
  ),
};
