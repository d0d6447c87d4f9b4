import { z } from "zod";
import { liftReasons, weekdays } from "../../core/policy/policy.ts";
import { day } from "../../core/time.ts";
import { duration, maybe } from "./fields.ts";

const rangeMessage = 'must be hours such as "22:00-04:00"';

/** A range such as `22:00-04:00`. The check of the policy rejects times that do not exist. */
const hourRange = z
  .string({ error: rangeMessage })
  .regex(/^\d\d:\d\d-\d\d:\d\d$/, rangeMessage)
  .transform((text) => ({ from: text.slice(0, 5), to: text.slice(6) }));

const appointmentMessage = 'must be a time of day such as "02:30"';
const appointment = z
  .string({ error: appointmentMessage })
  .regex(/^\d\d:\d\d$/, appointmentMessage);

const freeze = z.strictObject({
  from: z.string().max(40).describe("First day, such as 2026-12-20, or an instant."),
  to: z.string().max(40).describe("Last day, or the instant at which changes may start again."),
  reason: z
    .string()
    .regex(/\S/, "must not be blank; state the reason")
    .max(200)
    .describe("Reason for the freeze. It is shown with every rotation that the freeze delays."),
  lift: z
    .array(z.enum(liftReasons))
    .max(liftReasons.length)
    .default([])
    .describe("Reasons for which a rotation may start during the freeze. Default: none."),
});

/** Ranges or times of a day. More are a mistake or an attempt to overload the check; `cron` covers many times in few words. */
const maxRanges = 100;

/** When changes may start. */
export const windowFields = {
  days: maybe(z.array(z.enum(weekdays)).max(weekdays.length)).describe(
    "Days on which a change may start. Hours that span midnight belong to the day on which they begin.",
  ),
  between: maybe(z.array(hourRange).max(maxRanges)).describe(
    'Hours in which a change may start, such as "22:00-04:00". Cannot be combined with at.',
  ),
  at: maybe(z.array(appointment).max(maxRanges)).describe(
    'Times of day at which a change starts, and no others, such as "02:30".',
  ),
  cron: maybe(z.string().max(200)).describe(
    "Times at which a change starts: minute, hour, day of month, month, day of week. Replaces days, between and at.",
  ),
  timeZone: maybe(z.string().max(64)).describe("IANA name of the time zone. Default: UTC."),
  freeze: maybe(z.array(freeze).max(100)).describe("Periods in which no change starts."),
  spread: maybe(duration(0, 7 * day)).describe(
    "Time after the opening of a window over which the starts of the targets are distributed. Each target always has the same delay.",
  ),
};
