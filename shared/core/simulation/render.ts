import type { Instant } from "../time.ts";
import { atOnce, type Steps } from "../work-in-steps.ts";
import { calendarInSteps } from "./calendar-file.ts";
import type { Comparison } from "./compare.ts";
import type { PlanFormat } from "./formats.ts";
import type { Simulation } from "./model.ts";
import { comparisonJsonInSteps, jsonInSteps } from "./render-json.ts";
import { comparisonTableInSteps, tableInSteps } from "./render-table.ts";

/** Renders a plan. `madeAt` is when the plan was made. */
export function renderPlan(simulation: Simulation, format: PlanFormat, madeAt: Instant): string {
  return atOnce(planInSteps(simulation, format, madeAt));
}

export function planInSteps(
  simulation: Simulation,
  format: PlanFormat,
  madeAt: Instant,
): Steps<string> {
  if (format === "json") return jsonInSteps(simulation);
  return format === "ics" ? calendarInSteps(simulation, madeAt) : tableInSteps(simulation);
}

/**
 * Renders a comparison. It cannot be a calendar, so the format `ics` gives text. `warnings` are those of the edited
 * configuration, if the output includes them.
 */
export function renderComparisonAs(
  comparison: Comparison,
  format: PlanFormat,
  warnings?: readonly string[],
): string {
  return atOnce(comparisonInSteps(comparison, format, warnings));
}

export function comparisonInSteps(
  comparison: Comparison,
  format: PlanFormat,
  warnings?: readonly string[],
): Steps<string> {
  const render = format === "json" ? comparisonJsonInSteps : comparisonTableInSteps;
  return render(comparison, warnings);
}
