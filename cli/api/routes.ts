import { type Route, routes as served } from "../../functions/http/routes.ts";

/**
 * Routes of newer apps, whose types in `newer-endpoints.ts` are written by hand. Remove an entry and its type when
 * functions/http/routes.ts has the route.
 */
const newer = {
  "api-verify": { method: "POST", path: "targets/{target}/verify" },
  "api-pause": { method: "POST", path: "targets/{target}/pause" },
  "api-resume": { method: "POST", path: "targets/{target}/resume" },
  "api-freeze": { method: "POST", path: "freezes" },
  "api-explanation": { method: "GET", path: "targets/{target}/explanation" },
  "api-dry-run": { method: "POST", path: "targets/{target}/dry-run" },
} as const satisfies Readonly<Record<string, Route>>;

export const routes = { ...newer, ...served };
