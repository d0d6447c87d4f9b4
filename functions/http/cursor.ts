import { isTargetId } from "../../shared/app.ts";
import { invalid, type ProblemError } from "./problem.ts";
import { ulidPattern } from "./ulid.ts";

/** The last entry of a page; the next page starts after it. Callers return it unchanged and must not interpret it. */
type Place = readonly string[];

const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const countPattern = /^[1-9]\d{0,14}$/;
const alarmPattern = /^[\x21-\x7e]{1,200}$/;

const lists = {
  rotations: (place: Place) =>
    place.length === 2 && isTargetId(place[0] ?? "") && ulidPattern.test(place[1] ?? ""),
  alarms: (place: Place) =>
    place.length === 2 && instantPattern.test(place[0] ?? "") && alarmPattern.test(place[1] ?? ""),
  audit: (place: Place) => place.length === 2 && place.every((one) => countPattern.test(one)),
  breaches: (place: Place) => place.length === 1 && ulidPattern.test(place[0] ?? ""),
  "breach-targets": (place: Place) =>
    place.length === 2 && ulidPattern.test(place[0] ?? "") && /^\d{1,6}$/.test(place[1] ?? ""),
  targets: (place: Place) => place.length === 1 && isTargetId(place[0] ?? ""),
} as const;

export type List = keyof typeof lists;

export function writeCursor(list: List, place: Place): string {
  return Buffer.from(JSON.stringify([list, ...place])).toString("base64url");
}

/** Returns undefined when there is no cursor. Throws ProblemError for a cursor that this list did not issue. */
export function readCursor(list: List, cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined;
  const place = parse(cursor);
  if (place?.[0] === list && lists[list](place.slice(1))) return place.slice(1);
  throw refusedCursor();
}

export function refusedCursor(): ProblemError {
  return invalid(
    "`cursor` must come from `next` of an earlier page of this list. Leave it out to start with the first page.",
  );
}

function parse(cursor: string): string[] | undefined {
  if (!/^[\w-]{1,600}$/.test(cursor)) return undefined;
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    return Array.isArray(place) ? place.map(String) : undefined;
  } catch {
    return undefined;
  }
}
