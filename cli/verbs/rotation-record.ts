import type { Rotation, RotationEntry } from "../api/endpoints.ts";
import { colourState } from "../output/colour.ts";
import { type Column, formatRecord } from "../output/table.ts";
import { formatTaken, longTime, shortTime } from "../output/times.ts";

export function formatRotation(rotation: Rotation, now: number): string {
  const { failure, force, lift, phases, published } = rotation;
  const time = (instant: string | undefined) => longTime(instant, now);
  return formatRecord([
    ["Rotation", rotation.rotationId],
    ["Target", rotation.targetId],
    ["State", rotation.state, colourState],
    ["Account", rotation.account],
    ["Cause", `${rotation.cause}, requested by ${rotation.requestedBy}`],
    ["Reason", rotation.reason],
    ["Ticket", rotation.ticket],
    ["Because", rotation.why],
    ["Freeze lifted", lift && `by ${lift.by}: ${lift.why}`],
    ["Forced", force && `by ${force.by}: ${force.why}`],
    ["Requested", time(rotation.requestedAt)],
    ["Started", time(rotation.startedAt)],
    ["Ended", time(rotation.endedAt)],
    ["Duration", formatTaken(rotation.duration)],
    ["Phases", phases.map(formatPhase).join(", ")],
    ["Waits until", time(rotation.queuedUntil)],
    ["Waits for", rotation.queuedWhy],
    [
      "Published",
      published && `${published.name} in vault ${published.vault}, version ${published.version}`,
    ],
    ["Already set", rotation.alreadySet ? "yes: the target had the password before" : undefined],
    ["Failure", failure && `${failure.kind}, ${time(failure.at) ?? ""}`],
    ["Failed because", failure?.message],
    ["Next due", time(rotation.nextDue)],
    ["Due because", rotation.dueReason],
  ]);
}

function formatPhase({ phase, startedAt, endedAt }: Rotation["phases"][number]): string {
  if (endedAt === undefined) return `${phase} …`;
  return `${phase} ${formatTaken(Date.parse(endedAt) - Date.parse(startedAt)) ?? ""}`;
}

const isReadable = (entry: RotationEntry): entry is Rotation => entry.state !== "unreadable";

export const historyColumns: readonly Column<RotationEntry>[] = [
  { heading: "ROTATION", read: ({ rotationId }) => rotationId },
  { heading: "STATE", read: ({ state }) => state, style: colourState },
  {
    heading: "CAUSE",
    isOptional: true,
    read: (entry) => (isReadable(entry) ? entry.cause : undefined),
  },
  {
    heading: "REQUESTED (UTC)",
    read: (entry) => (isReadable(entry) ? shortTime(entry.requestedAt) : undefined),
  },
  {
    heading: "TOOK",
    isOptional: true,
    read: (entry) => (isReadable(entry) ? formatTaken(entry.duration) : undefined),
  },
  {
    heading: "NOTE",
    read: (entry) => (isReadable(entry) ? (entry.failure?.message ?? entry.queuedWhy) : entry.why),
    min: 4,
  },
];
