import type { Instant } from "../time.ts";
import { runAtOnce, type Steps } from "../work-in-steps.ts";
import { renderCalendarInSteps } from "./calendar-file.ts";
import type { Comparison } from "./compare.ts";
import type { PlanFormat } from "./formats.ts";
import type { Simulation } from "./model.ts";
import { renderComparisonJsonInSteps, renderJsonInSteps } from "./render-json.ts";
import { renderComparisonTableInSteps, renderTableInSteps } from "./render-table.ts";

/** Renders a plan. `madeAt` is when the plan was made. */
export function renderPlan(simulation: Simulation, format: PlanFormat, madeAt: Instant): string {
  return runAtOnce(planInSteps(simulation, format, madeAt));
}

export function planInSteps(
  simulation: Simulation,
  format: PlanFormat,
  madeAt: Instant,
): Steps<string> {
  if (format === "json") return renderJsonInSteps(simulation);
  return format === "ics"
    ? renderCalendarInSteps(simulation, madeAt)
    : renderTableInSteps(simulation);
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
  return runAtOnce(renderComparisonInSteps(comparison, format, warnings));
}

export function renderComparisonInSteps(
  comparison: Comparison,
  format: PlanFormat,
  warnings?: readonly string[],
): Steps<string> {
  const render = format === "json" ? renderComparisonJsonInSteps : renderComparisonTableInSteps;
  return render(comparison, warnings);
}
