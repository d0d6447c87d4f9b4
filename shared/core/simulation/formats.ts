/** The output formats of a plan. */
export const planFormats = ["text", "json", "ics"] as const;
export type PlanFormat = (typeof planFormats)[number];
