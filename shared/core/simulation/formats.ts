/** In which a plan can be given. */
export const planFormats = ["text", "json", "ics"] as const;
export type PlanFormat = (typeof planFormats)[number];
