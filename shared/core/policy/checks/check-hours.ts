import { day } from "../../time.ts";
import type { Policy } from "../policy.ts";
import { parseTimeOfDay } from "../windows/calendar.ts";
import { cronProblem, everFires } from "../windows/cron.ts";
import { findIanaName } from "../windows/windows-zones.ts";
import { isTimeZone } from "../windows/zone.ts";
import { type Problem, problem } from "./problem.ts";

/** What is wrong with the windows by themselves. */
export function checkHours(policy: Policy): Problem[] {
  return [
    ...checkZone(policy),
    ...checkTogether(policy),
    ...checkNotEmpty(policy),
    ...checkRanges(policy),
    ...checkAppointments(policy),
    ...checkCron(policy),
  ];
}

function checkZone({ timeZone }: Policy): Problem[] {
  if (timeZone === undefined || isTimeZone(timeZone)) return [];
  const iana = findIanaName(timeZone);
  if (iana !== undefined) {
    const message = `${timeZone} is what Windows calls a time zone; write its IANA name: ${iana}`;
    return [problem(["timeZone"], message)];
  }
  const message = `${timeZone || "an empty name"} is no time zone; take an IANA name such as Europe/Vienna`;
  return [problem(["timeZone"], message)];
}

function checkTogether(policy: Policy): Problem[] {
  const found: Problem[] = [];
  for (const field of ["days", "between", "at"] as const) {
    if (policy.cron === undefined || policy[field] === undefined) continue;
    found.push(problem([field], "cannot stand beside cron, which says days and times by itself"));
  }
  if (policy.between && policy.at) {
    const message = "cannot stand beside at: a change starts at an appointment and otherwise not";
    found.push(problem(["between"], message));
  }
  return found;
}

function checkNotEmpty(policy: Policy): Problem[] {
  return (["days", "between", "at"] as const)
    .filter((field) => policy[field]?.length === 0)
    .map((field) => problem([field], "is empty, so that no window ever opens; leave it out"));
}

function checkRanges({ between = [] }: Policy): Problem[] {
  return between.flatMap(({ from, to }, index) => {
    const start = parseTimeOfDay(from);
    const end = parseTimeOfDay(to);
    const path = ["between", index];
    if (start === undefined || start === day) return [problem(path, notATime(from, "00:00"))];
    if (end === undefined) return [problem(path, notATime(to, "24:00"))];
    if (start !== end) return [];
    const message = `${from}-${to} is an empty window; the whole day is 00:00-24:00`;
    return [problem(path, message)];
  });
}

function checkAppointments({ at = [] }: Policy): Problem[] {
  return at.flatMap((text, index) => {
    const time = parseTimeOfDay(text);
    return time !== undefined && time < day
      ? []
      : [problem(["at", index], notATime(text, "00:00"))];
  });
}

function notATime(text: string, midnight: string): string {
  return `${text} is no time of day; write HH:MM, midnight as ${midnight}`;
}

function checkCron({ cron }: Policy): Problem[] {
  if (cron === undefined) return [];
  const message = cronProblem(cron);
  if (message !== undefined) return [problem(["cron"], message)];
  return everFires(cron) ? [] : [problem(["cron"], "never fires: there is no such day")];
}
