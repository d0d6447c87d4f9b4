import { formatLocal } from "../policy/windows/calendar.ts";
import { toPrintable, toPrintableLines } from "../printable.ts";
import { mapInSteps, runAtOnce, type Steps } from "../work-in-steps.ts";
import { type Comparison, computeShift } from "./compare.ts";
import { formatLimits } from "./limits.ts";
import { describeWhy, type SimulatedRotation, type Simulation } from "./model.ts";

/** Renders the plan as text for people. Lists at most `maxRows` rotations, and counts the others. */
export function renderTable(simulation: Simulation, maxRows = Infinity): string {
  return runAtOnce(renderTableInSteps(simulation, maxRows));
}

export function* renderTableInSteps(simulation: Simulation, maxRows = Infinity): Steps<string> {
  const { rotations, from, to } = simulation;
  const listed = rotations.slice(0, maxRows);
  const rows = yield* mapInSteps(listed, (rotation) => [
    formatWhen(rotation),
    rotation.target.id,
    describeWhy(rotation),
  ]);
  const more = rotations.length - listed.length;
  return [
    `${formatCount(rotations.length, "rotation")} from ${from} to ${to}`,
    ...(yield* columns(["WHEN", "TARGET", "WHY"], rows)),
    ...(rotations.length === 0 ? formatNext(simulation) : []),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...formatWarnings(simulation),
    "",
  ].join("\n");
}

const formatWhen = ({ at, target }: SimulatedRotation): string =>
  formatLocal(Math.floor(at / 1000) * 1000, target.policy.timeZone ?? "UTC");

/** An empty plan shows the next rotation after its end. */
function formatNext({ targets }: Simulation): string[] {
  const [next] = targets.flatMap(({ next: found }) => found ?? []).sort((a, b) => a.at - b.at);
  if (!next) return [];
  return [`Next rotation: ${next.target.id}, ${formatWhen(next)}  ${describeWhy(next)}`];
}

function formatWarnings(simulation: Simulation): string[] {
  const { collisions, tooOld, never, clockChanges, policies, limits } = simulation;
  return [
    ...section(
      "Limit exceeded",
      collisions.map(
        ({ kind, name, from, to, most, limit }) =>
          `${kind} ${name}: ${most} at once, the limit is ${limit}, ${from} to ${to}`,
      ),
    ),
    ...section(
      "Older than allowed",
      tooOld.map(({ targetId, since, until }) => `${targetId}: ${since} to ${until}`),
    ),
    ...section(
      "Never rotated",
      never.map(({ targetId, why }) => `${targetId}: ${why}`),
    ),
    ...section(
      "Clocks change",
      clockChanges.map(
        ({ timeZone, at, by, rotations }) =>
          `${timeZone}: ${at}, ${Math.abs(by) / 60_000} min ${by > 0 ? "forward" : "back"}, ${formatCount(rotations, "rotation")} near it`,
      ),
    ),
    ...section(
      "Policies",
      policies.map(
        ({ name, targets, entropyBits }) =>
          `${name}: ${formatCount(targets, "target")}, passwords of ${entropyBits} bits of entropy`,
      ),
    ),
    "",
    `Limits: ${formatLimits(limits)}`,
  ];
}

/** Renders a comparison as text. `warnings` are those of the edited configuration. */
export function renderComparison(comparison: Comparison, warnings?: readonly string[]): string {
  return runAtOnce(renderComparisonTableInSteps(comparison, warnings));
}

export function* renderComparisonTableInSteps(
  comparison: Comparison,
  warnings: readonly string[] = [],
): Steps<string> {
  const { from, to, rotationsBefore, rotationsAfter } = comparison;
  const rows = yield* mapInSteps(comparison.differences, (difference) => [
    difference.targetId,
    difference.before ?? "-",
    difference.after ?? "-",
    computeShift(difference) || difference.kind,
    `${difference.countBefore} > ${difference.countAfter}`,
    difference.why,
  ]);
  const heads = ["TARGET", "BEFORE", "AFTER", "CHANGE", "COUNT", "WHY"];
  return [
    toPrintableLines(comparison.summary),
    `${formatCount(rotationsAfter, "rotation")} instead of ${rotationsBefore} from ${from} to ${to}`,
    ...(yield* columns(heads, rows)),
    ...section("Warnings", warnings),
    "",
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0
    ? []
    : ["", `${title}:`, ...lines.map((line) => `  ${toPrintableLines(line)}`)];
}

function* columns(heads: readonly string[], rows: readonly (readonly string[])[]): Steps<string[]> {
  if (rows.length === 0) return [];
  const shown = yield* mapInSteps(rows, (row) => row.map(toPrintable));
  const widths = heads.map((head) => head.length);
  for (const row of shown) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    }
    yield;
  }
  return yield* mapInSteps([heads, ...shown], (row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
