import type { Instant } from "../time.ts";
import { renderCalendar } from "./calendar.ts";
import type { Comparison } from "./compare.ts";
import { renderComparisonJson, renderJson } from "./json.ts";
import type { Simulation } from "./plan.ts";
import { renderComparison, renderTable } from "./table.ts";

export const planFormats = ["text", "json", "ics"] as const;
export type PlanFormat = (typeof planFormats)[number];

/** `madeAt` is when the plan was made. */
export function renderPlan(simulation: Simulation, format: PlanFormat, madeAt: Instant): string {
  if (format === "json") return renderJson(simulation);
  return format === "ics" ? renderCalendar(simulation, madeAt) : renderTable(simulation);
}

/**
 * A comparison is no calendar: that format gives text. `warnings` are what the check
 * of the edited configuration found, if they are to be told here.
 */
export function renderComparisonAs(
  comparison: Comparison,
  format: PlanFormat,
  warnings?: readonly string[],
): string {
  const render = format === "json" ? renderComparisonJson : renderComparison;
  return render(comparison, warnings);
}
