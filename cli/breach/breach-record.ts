import type { Breach, BreachTarget } from "../api/endpoints.ts";
import { colourState } from "../output/colour.ts";
import { type Column, formatRecord } from "../output/table.ts";
import { formatSeconds, longTime, shortTime } from "../output/times.ts";

/** A breach or its preview as lines of names and values. */
export function formatBreach(breach: Breach, now: number): string {
  const { id, state, reason, ticket, summary, expiresAt } = breach;
  const isPreview = state === "preview";
  const isOpen = state !== "ended" && state !== "expired";
  return formatRecord([
    ["Breach", id],
    ["State", state, colourState],
    ["Reason", reason],
    ["Ticket", ticket],
    ["Selected by", describeSelection(breach)],
    ["Targets", String(summary.targets)],
    ["With a gap", describeGap(breach)],
    ["Old password", describeKept(breach)],
    ["Consumers", describeConsumers(breach)],
    ["Obstacles", isOpen ? describeObstacles(breach, isPreview) : undefined],
    ["Estimate", isPreview ? describeEstimate(breach) : undefined],
    ["Time left", isOpen && !isPreview ? describeLeft(breach) : undefined],
    ["Previewed by", describeAct(breach, now)],
    ["Confirm until", isPreview ? longTime(expiresAt, now) : undefined],
    ["Confirmed by", describeAct(breach.confirmed, now)],
    ["Without waits", describeOverrides(breach)],
    ["Paused by", state === "paused" ? describeAct(breach.paused, now) : undefined],
    ["Cancelled by", describeAct(breach.cancelled, now)],
    ["Ended", longTime(breach.endedAt, now)],
    ...(isPreview ? [] : listCounts(breach)),
  ]);
}

function describeSelection({ selection }: Breach): string {
  const { targets, tags = [], host, vault, type, policy, exposedBy } = selection;
  const named = Object.entries({ host, vault, type, policy, "exposed by": exposedBy });
  return [
    ...(targets ? [`a list of targets`] : []),
    ...tags.map((tag) => `tag ${tag.join(":")}`),
    ...named.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])),
  ].join("; ");
}

function describeGap({ summary: { withGap, targets } }: Breach): string | undefined {
  if (withGap === 0) return undefined;
  return `${withGap} of ${targets}: no second account, so consumers are refused until they read the new password`;
}

function describeKept({ summary: { keepOldPassword } }: Breach): string | undefined {
  if (keepOldPassword === 0) return undefined;
  return `${keepOldPassword} pairs change their own passwords, so the old one works until the next rotation`;
}

function describeConsumers({ summary: { consumers, otherConsumers } }: Breach): string | undefined {
  const shown = consumers.slice(0, 8).map(({ name, targets }) => `${name} (${targets})`);
  const others = consumers.length - shown.length + otherConsumers;
  return [...shown, ...(others > 0 ? [`${others} more`] : [])].join(", ") || undefined;
}

/** What helps against an obstacle when the preview is confirmed. */
const remedies: Readonly<Record<string, string>> = {
  frozen: " (--lift-freezes rotates them now)",
  paused: " (--force rotates them now)",
};

function describeObstacles(
  { summary: { obstacles } }: Breach,
  isPreview: boolean,
): string | undefined {
  const parts = Object.entries(obstacles).map(
    ([kind, count]) => `${count} ${kind}${isPreview ? (remedies[kind] ?? "") : ""}`,
  );
  return parts.join(", ") || undefined;
}

function describeEstimate({ estimate: { seconds, limitedBy }, summary }: Breach): string {
  const about = `about ${formatSeconds(seconds * 1_000)}, limited by ${limitedBy}`;
  const hasObstacles = Object.keys(summary.obstacles).length > 0;
  return hasObstacles ? `${about}; longer for targets with obstacles` : about;
}

function describeLeft({ remainingSeconds, waits }: Breach): string {
  if (remainingSeconds !== undefined)
    return `about ${formatSeconds(remainingSeconds * 1_000)}, if nothing fails`;
  const targets = waits?.targets ?? 0;
  return `unknown while ${targets} ${targets === 1 ? "target waits" : "targets wait"}`;
}

function describeAct(
  act: { readonly by: string; readonly at: string } | undefined,
  now: number,
): string | undefined {
  return act && `${act.by}, ${longTime(act.at, now) ?? ""}`;
}

function describeOverrides({ force, liftFreezes }: Breach): string | undefined {
  const parts = [...(force ? ["pauses"] : []), ...(liftFreezes ? ["freezes"] : [])];
  return parts.length === 0 ? undefined : `for ${parts.join(" and ")}`;
}

function listCounts({ counts, waits }: Breach): [string, string | undefined][] {
  const number = (count: number) => (count === 0 ? undefined : String(count));
  return [
    ["Rotated", String(counts.rotated)],
    ["Under way", number(counts.begun - (waits?.targets ?? 0))],
    ["Delayed", waits && `${waits.targets}: ${waits.why}`],
    ["Not begun", number(counts.waiting)],
    ["Failed", number(counts.failed)],
    ["Blocked", number(counts.blocked)],
    ["Unfinished", number(counts.unfinished)],
    ["Left", number(counts.left)],
  ];
}

/** The columns of a preview. */
export const previewColumns: readonly Column<BreachTarget>[] = [
  { heading: "#", read: ({ place }) => String(place) },
  { heading: "TARGET", read: ({ target }) => target, min: 16 },
  { heading: "SERVER", read: ({ server }) => server, min: 10 },
  { heading: "GAP", read: ({ hasGap }) => (hasGap ? "yes" : "no") },
  { heading: "OBSTACLES", read: describeItemObstacles, min: 9 },
  { heading: "WHY HERE", read: ({ why }) => why, min: 12 },
];

function describeItemObstacles({ obstacles }: BreachTarget): string | undefined {
  return obstacles.map(({ kind }) => kind).join(", ") || undefined;
}

/** The columns of the progress and of the report. */
export const reportColumns: readonly Column<BreachTarget>[] = [
  { heading: "#", read: ({ place }) => String(place) },
  { heading: "TARGET", read: ({ target }) => target, min: 16 },
  { heading: "STATE", read: ({ state }) => state, style: colourState },
  { heading: "AT (UTC)", read: (one) => shortTime(one.rotatedAt ?? one.endedAt ?? one.begunAt) },
  { heading: "WHAT", read: describeOutcome, min: 20 },
];

function describeOutcome({
  outcome,
  waitsFor,
  failure,
  version,
}: BreachTarget): string | undefined {
  const parts = [failure?.message, outcome ?? waitsFor].filter((part) => part !== undefined);
  return parts.join(". ") || (version && `version ${version.version.slice(0, 8)}`);
}
