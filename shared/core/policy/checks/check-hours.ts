import { day } from "../../time.ts";
import type { Policy } from "../policy.ts";
import { parseTimeOfDay } from "../windows/calendar.ts";
import { everFires, findCronProblem } from "../windows/cron.ts";
import { findIanaName } from "../windows/windows-zones.ts";
import { isTimeZone } from "../windows/zone.ts";
import { type Problem, toProblem } from "./problem.ts";

/** Checks the windows of a policy, without its other fields. */
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
    const message = `must be an IANA time zone, but ${timeZone} is a Windows name; use ${iana}`;
    return [toProblem(["timeZone"], message)];
  }
  const message = `must be an IANA time zone such as Europe/Vienna, but is ${timeZone || "empty"}`;
  return [toProblem(["timeZone"], message)];
}

function checkTogether(policy: Policy): Problem[] {
  const found: Problem[] = [];
  for (const field of ["days", "between", "at"] as const) {
    if (policy.cron === undefined || policy[field] === undefined) continue;
    found.push(
      toProblem([field], "cannot be combined with cron, which already sets days and times"),
    );
  }
  if (policy.between && policy.at) {
    const message = "cannot be combined with at, which already sets the times of changes";
    found.push(toProblem(["between"], message));
  }
  return found;
}

function checkNotEmpty(policy: Policy): Problem[] {
  return (["days", "between", "at"] as const)
    .filter((field) => policy[field]?.length === 0)
    .map((field) => toProblem([field], "is empty, so no window ever opens; remove it"));
}

function checkRanges({ between = [] }: Policy): Problem[] {
  return between.flatMap(({ from, to }, index) => {
    const start = parseTimeOfDay(from);
    const end = parseTimeOfDay(to);
    const path = ["between", index];
    if (start === undefined || start === day) return [toProblem(path, notATime(from, "00:00"))];
    if (end === undefined) return [toProblem(path, notATime(to, "24:00"))];
    if (start !== end) return [];
    const message = `${from}-${to} is an empty window; the whole day is 00:00-24:00`;
    return [toProblem(path, message)];
  });
}

function checkAppointments({ at = [] }: Policy): Problem[] {
  return at.flatMap((text, index) => {
    const time = parseTimeOfDay(text);
    return time !== undefined && time < day
      ? []
      : [toProblem(["at", index], notATime(text, "00:00"))];
  });
}

function notATime(text: string, midnight: string): string {
  return `must be a time of day (HH:MM, midnight is ${midnight}), but is ${text}`;
}

function checkCron({ cron }: Policy): Problem[] {
  if (cron === undefined) return [];
  const message = findCronProblem(cron);
  if (message !== undefined) return [toProblem(["cron"], message)];
  return everFires(cron)
    ? []
    : [toProblem(["cron"], "never fires, because such a day does not exist")];
}
