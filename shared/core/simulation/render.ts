import type { Instant } from "../time.ts";
import { renderCalendar } from "./calendar.ts";
import { renderJson } from "./json.ts";
import type { Simulation } from "./plan.ts";
import { renderTable } from "./table.ts";

export const planFormats = ["text", "json", "ics"] as const;
export type PlanFormat = (typeof planFormats)[number];

/** `madeAt` is when the plan was made. */
export function renderPlan(simulation: Simulation, format: PlanFormat, madeAt: Instant): string {
  if (format === "json") return renderJson(simulation);
  return format === "ics" ? renderCalendar(simulation, madeAt) : renderTable(simulation);
}
