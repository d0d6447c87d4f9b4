import type { LedgerAction } from "../../shared/app.ts";

/** A route of the HTTP API. `{name}` in the path is a parameter. */
export interface Route {
  readonly method: "GET" | "POST";
  /** Below `/api/`. */
  readonly path: string;
  /** `function`, the default, needs a function key. */
  readonly authLevel?: "anonymous" | "function";
  /** What the ledger calls a request that this route refuses. Absent for routes that change nothing. */
  readonly action?: LedgerAction;
}

/**
 * Every route by the name of its function. The schemas of a route are loaded with its first request, because they would delay the start
 * of the app.
 */
export const routes = {
  "api-targets": { method: "GET", path: "targets" },
  "api-target": { method: "GET", path: "targets/{target}" },
  "api-explanation": { method: "GET", path: "targets/{target}/explanation" },
  "api-dry-run": { method: "POST", path: "targets/{target}/dry-run" },
  "api-rotate": { method: "POST", path: "targets/{target}/rotations", action: "rotation.request" },
  "api-rotations": { method: "GET", path: "targets/{target}/rotations" },
  "api-rotation": { method: "GET", path: "targets/{target}/rotations/{rotation}" },
  "api-rotation-cancel": {
    method: "POST",
    path: "targets/{target}/rotations/{rotation}/cancel",
    action: "rotation.cancel",
  },
  "api-import": { method: "POST", path: "targets/{target}/import", action: "rotation.request" },
  "api-undo": { method: "POST", path: "targets/{target}/undo", action: "rotation.request" },
  "api-unblock": { method: "POST", path: "targets/{target}/unblock", action: "target.unblock" },
  "api-rotation-events": {
    method: "GET",
    path: "targets/{target}/rotations/{rotation}/events",
  },
  "api-exposures": {
    method: "POST",
    path: "targets/{target}/exposures",
    action: "exposure.report",
  },
  "api-uses": { method: "POST", path: "targets/{target}/uses", action: "use.report" },
  "api-verify": { method: "POST", path: "targets/{target}/verify" },
  "api-pause": { method: "POST", path: "targets/{target}/pause", action: "target.pause" },
  "api-resume": { method: "POST", path: "targets/{target}/resume", action: "target.resume" },
  "api-pauses": { method: "POST", path: "pauses", action: "target.pause" },
  "api-resumes": { method: "POST", path: "resumes", action: "target.resume" },
  "api-freeze": { method: "POST", path: "freezes", action: "freeze.set" },
  "api-freezes": { method: "GET", path: "freezes" },
  "api-freeze-end": { method: "POST", path: "freezes/{freeze}/end", action: "freeze.end" },
  "api-breach-preview": { method: "POST", path: "breaches", action: "breach.preview" },
  "api-breaches": { method: "GET", path: "breaches" },
  "api-breach": { method: "GET", path: "breaches/{breach}" },
  "api-breach-targets": { method: "GET", path: "breaches/{breach}/targets" },
  "api-breach-confirm": {
    method: "POST",
    path: "breaches/{breach}/confirm",
    action: "breach.start",
  },
  "api-breach-pause": { method: "POST", path: "breaches/{breach}/pause", action: "breach.pause" },
  "api-breach-resume": {
    method: "POST",
    path: "breaches/{breach}/resume",
    action: "breach.resume",
  },
  "api-breach-cancel": {
    method: "POST",
    path: "breaches/{breach}/cancel",
    action: "breach.cancel",
  },
  "api-plan": { method: "GET", path: "plan" },
  "api-plan-edit": { method: "POST", path: "plan" },
  "api-audit": { method: "GET", path: "audit" },
  "api-audit-head": { method: "GET", path: "audit/head" },
  "api-alarms": { method: "GET", path: "alarms" },
  "api-health": { method: "GET", path: "health", authLevel: "anonymous" },
  "api-openapi": { method: "GET", path: "openapi.json" },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof routes;
