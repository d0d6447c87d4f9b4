import type { Freeze } from "../api/endpoints.ts";
import { colourState } from "../output/colour.ts";
import { type Column, formatRecord } from "../output/table.ts";
import { longTime, shortTime } from "../output/times.ts";

export function formatFreeze(freeze: Freeze, now: number): string {
  const { at, by, endedAt, endedBy, from, id, lift, matches, state, until } = freeze;
  const time = (instant: string | undefined) => longTime(instant, now);
  return formatRecord([
    ["Freeze", id],
    ["State", state, colourState],
    ["From", time(from)],
    ["Until", time(until)],
    ["Reason", freeze.reason],
    ["Ticket", freeze.ticket],
    ["Set by", `${by}, ${time(at) ?? ""}`],
    ["Ended by", endedBy && `${endedBy}, ${time(endedAt) ?? ""}`],
    ["Ended because", freeze.endReason],
    ["Ended under", freeze.endTicket],
    ["Lifted by", lift.join(", ") || "nothing"],
    ["Applies to", describeSelection(freeze)],
    ["Targets", `${matches} at present`],
  ]);
}

function describeSelection({ selection }: Freeze): string {
  const { policy, tags = [], targets, type, vault } = selection;
  const parts = [
    targets && `targets ${targets.join(", ")}`,
    policy !== undefined && `policy ${policy}`,
    type !== undefined && `type ${type}`,
    vault !== undefined && `vault ${vault}`,
    ...tags.map((tag) => `tag ${tag.join(":")}`),
  ];
  return parts.filter((part) => typeof part === "string").join("; ") || "every target";
}

export const freezeColumns: readonly Column<Freeze>[] = [
  { heading: "FREEZE", read: ({ id }) => id },
  { heading: "STATE", read: ({ state }) => state, style: colourState },
  { heading: "UNTIL (UTC)", read: ({ until, endedAt }) => shortTime(endedAt ?? until) },
  { heading: "TARGETS", read: ({ matches }) => String(matches), isOptional: true },
  { heading: "REASON", read: ({ reason }) => reason, min: 4 },
];
